package graph

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// A selector is a small expression: a space is or, a comma is and, ! is not,
// and binds in the order not, and, or. Its terms are described at term.
//
//	silver.future.* +bar5s !tag:slow,approach["or_low"] bar5s[symbol=ES*,dt=2025-06..2025-07-04]
type expr interface{}

type (
	orExpr  []expr
	andExpr []expr
	notExpr struct{ of expr }
)

// term selects datasets and slices of them.
type term struct {
	text    string      // as written, for messages
	kind    string      // "address", "tag", "state" or "reason"
	pattern string      // glob over dataset and stage addresses, or the word after the colon
	slice   []condition // all must hold
	up      int         // how many steps of ancestors come along; -1: all
	down    int         // the same of descendants
}

// condition is one key=pattern of a slice.
type condition struct {
	key     string
	pattern string // value glob; of a date key: a date, a month, a year, or A..B of them
}

const maxSelector = 1 << 16

// parseSelector reads one selector.
func parseSelector(text string) (expr, error) {
	if len(text) > maxSelector {
		return nil, fmt.Errorf("a selector of %d bytes is longer than the %d allowed", len(text), maxSelector)
	}
	var or orExpr
	for _, words := range splitOutside(text, unicode.IsSpace) {
		if words == "" {
			continue
		}
		var and andExpr
		for _, w := range splitOutside(words, func(r rune) bool { return r == ',' }) {
			e, err := parseFactor(w)
			if err != nil {
				return nil, fmt.Errorf("selector %q: %w", text, err)
			}
			and = append(and, e)
		}
		or = append(or, and)
	}
	if len(or) == 0 {
		return nil, fmt.Errorf("the selector %q is empty; name a dataset or a stage, such as silver.future.* or bar5s", text)
	}
	return or, nil
}

// splitOutside cuts s at the runes for which cut holds outside of brackets.
func splitOutside(s string, cut func(rune) bool) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range s {
		switch {
		case r == '[':
			depth++
		case r == ']':
			depth--
		case depth <= 0 && cut(r):
			parts = append(parts, s[start:i])
			start = i + len(string(r))
		}
	}
	return append(parts, s[start:])
}

func parseFactor(w string) (expr, error) {
	if rest, ok := strings.CutPrefix(w, "!"); ok {
		e, err := parseFactor(rest)
		return notExpr{e}, err
	}
	t := &term{text: w, kind: "address"}
	body, err := t.cutReach(w)
	if err != nil {
		return nil, err
	}
	for _, kind := range []string{"tag", "state", "reason"} {
		if rest, ok := strings.CutPrefix(body, kind+":"); ok {
			t.kind, body = kind, rest
		}
	}
	if t.kind == "address" {
		body, err = t.cutSlice(body)
	}
	if err == nil && body == "" {
		err = fmt.Errorf("%q names nothing", w)
	}
	t.pattern = body
	return t, err
}

// cutReach takes the N+ before and the +N after a term off.
func (t *term) cutReach(w string) (string, error) {
	body := w
	if count, rest, ok := strings.Cut(body, "+"); ok && isDigits(count) {
		n, err := steps(count)
		if err != nil {
			return "", err
		}
		t.up, body = n, rest
	}
	if i := strings.LastIndexByte(body, '+'); i >= 0 && isDigits(body[i+1:]) {
		n, err := steps(body[i+1:])
		if err != nil {
			return "", err
		}
		t.down, body = n, body[:i]
	}
	if strings.ContainsRune(body, '+') {
		return "", fmt.Errorf("%q has a + in the middle; write +a for ancestors, a+ for descendants, 2+a+1 for a distance", w)
	}
	return body, nil
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func steps(digits string) (int, error) {
	if digits == "" {
		return -1, nil
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%s steps are more than any graph has", digits)
	}
	return int(n), nil
}

// cutSlice takes a trailing [key=pattern,…] off; the brackets of a stage
// instance, as in approach["or_low"], stay.
func (t *term) cutSlice(body string) (string, error) {
	open := strings.LastIndexByte(body, '[')
	if open < 0 {
		if strings.ContainsRune(body, ']') {
			return "", fmt.Errorf("%q closes a bracket that is not open", body)
		}
		return body, nil
	}
	inner, ok := strings.CutSuffix(body[open+1:], "]")
	if !ok {
		return "", fmt.Errorf("%q lacks its closing bracket; a slice is written dataset[key=pattern,key=pattern]", body)
	}
	if strings.HasPrefix(inner, `"`) {
		return body, nil
	}
	for _, c := range strings.Split(inner, ",") {
		key, pattern, ok := strings.Cut(strings.TrimSpace(c), "=")
		if !ok || key == "" || pattern == "" {
			return "", fmt.Errorf("%q in the brackets of %q is not key=pattern, as in dt=2025-06..2025-07-04", c, body)
		}
		t.slice = append(t.slice, condition{key, pattern})
	}
	return body[:open], nil
}
