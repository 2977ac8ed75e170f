package graph

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bmatcuk/doublestar/v4"
)

// A selector is a small expression: a space is or, a comma is and, ! is not,
// and binds in the order not, and, or; parentheses group. + before a term or a
// group adds ancestors, + after it descendants. Terms are described at term.
//
//	silver.future.* +bar5s !tag:slow,approach["or_low"] bar5s[symbol=ES*,dt=2025-06..2025-07-04] (bar5s,state:stale)+
type expr interface{}

type (
	orExpr  []expr
	andExpr []expr
	notExpr struct{ of expr }
	// reachExpr adds to what of selects what it is made from, up to up steps
	// away, and what is made from it; -1: any number of steps.
	reachExpr struct {
		of       expr
		up, down int
	}
)

// Kinds of terms. All but an address are written kind:word.
const (
	kindAddress = "address"
	kindTag     = "tag"
	KindState   = "state"
	KindReason  = "reason"
)

// term selects datasets and slices of them.
type term struct {
	text     string // as written, for messages
	kind     string
	pattern  string      // glob over dataset and stage addresses, or the word after the colon
	instance string      // glob over the instances of a stage; empty for all
	slice    []condition // all must hold
}

// condition is one key=pattern of a slice.
type condition struct {
	key     string
	pattern string // value glob; of a date key: a date, a month, a year, A..B of them, or a glob
}

const maxSelector = 1 << 16

// parseSelector reads one selector.
func parseSelector(text string) (expr, error) {
	if len(text) > maxSelector {
		return nil, fmt.Errorf("a selector of %d bytes is longer than the %d allowed", len(text), maxSelector)
	}
	p := &parser{text: text}
	if p.space(); p.pos == len(text) {
		return nil, fmt.Errorf("the selector %q is empty; name a dataset or a stage, such as silver.future.* or bar5s", text)
	}
	e, err := p.or()
	if err == nil && p.pos < len(text) {
		err = fmt.Errorf("%q closes a parenthesis that is not open", text[:p.pos+1])
	}
	if err != nil {
		return nil, fmt.Errorf("selector %q: %w", text, err)
	}
	return e, nil
}

// parser reads an expression from left to right.
type parser struct {
	text string
	pos  int
}

func (p *parser) space() {
	p.pos += len(p.text[p.pos:]) - len(strings.TrimLeftFunc(p.text[p.pos:], unicode.IsSpace))
}

// take steps over c, if that is what comes next.
func (p *parser) take(c byte) bool {
	if !p.at(c) {
		return false
	}
	p.pos++
	return true
}

func (p *parser) at(c byte) bool { return p.pos < len(p.text) && p.text[p.pos] == c }

// or reads up to a closing parenthesis or the end.
func (p *parser) or() (expr, error) {
	var or orExpr
	for p.space(); p.pos < len(p.text) && !p.at(')'); p.space() {
		and, err := p.and()
		if err != nil {
			return nil, err
		}
		or = append(or, and)
	}
	if len(or) == 1 {
		return or[0], nil
	}
	return or, nil
}

func (p *parser) and() (expr, error) {
	var and andExpr
	for more := true; more; more = p.take(',') {
		p.space()
		f, err := p.factor()
		if err != nil {
			return nil, err
		}
		and = append(and, f)
		p.space()
	}
	if len(and) == 1 {
		return and[0], nil
	}
	return and, nil
}

func (p *parser) factor() (expr, error) {
	if p.take('!') {
		p.space()
		e, err := p.factor()
		return notExpr{e}, err
	}
	up, err := p.stepsBefore()
	if err != nil {
		return nil, err
	}
	of, err := p.primary()
	if err != nil {
		return nil, err
	}
	down, err := p.stepsAfter()
	if err != nil {
		return nil, err
	}
	if up == 0 && down == 0 {
		return of, nil
	}
	return reachExpr{of, up, down}, nil
}

func (p *parser) primary() (expr, error) {
	if !p.take('(') {
		w := p.word()
		if w == "" {
			return nil, fmt.Errorf("something is missing after %q", p.text[:p.pos])
		}
		return parseTerm(w)
	}
	open := p.pos
	e, err := p.or()
	switch {
	case err != nil:
		return nil, err
	case !p.take(')'):
		return nil, fmt.Errorf("%q lacks its closing parenthesis", p.text[open-1:])
	case strings.TrimSpace(p.text[open:p.pos-1]) == "":
		return nil, fmt.Errorf("the parentheses are empty")
	}
	return e, nil
}

// word reads what stands for a term: to the next space, comma, parenthesis or +
// outside of brackets and braces.
func (p *parser) word() string {
	depth, start := 0, p.pos
	for p.pos < len(p.text) {
		r, size := utf8.DecodeRuneInString(p.text[p.pos:])
		switch {
		case r == '[' || r == '{':
			depth++
		case r == ']' || r == '}':
			depth--
		case depth <= 0 && (unicode.IsSpace(r) || strings.ContainsRune(",()+", r)):
			return p.text[start:p.pos]
		}
		p.pos += size
	}
	return p.text[start:]
}

// stepsBefore reads N+ or +.
func (p *parser) stepsBefore() (int, error) {
	digits := p.digits()
	if !p.at('+') {
		p.pos -= len(digits)
		return 0, nil
	}
	p.pos++
	return steps(digits)
}

// stepsAfter reads +N or +.
func (p *parser) stepsAfter() (int, error) {
	if !p.take('+') {
		return 0, nil
	}
	n, err := steps(p.digits())
	if r, _ := utf8.DecodeRuneInString(p.text[p.pos:]); err == nil && p.pos < len(p.text) && !unicode.IsSpace(r) && !strings.ContainsRune(",)", r) {
		err = fmt.Errorf("%q has a + in the middle; write +a for ancestors, a+ for descendants, 2+a+1 for a distance", p.text)
	}
	return n, err
}

func (p *parser) digits() string {
	rest := p.text[p.pos:]
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	p.pos += len(digits)
	return digits
}

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

func parseTerm(w string) (*term, error) {
	t := &term{text: w, kind: kindAddress}
	if strings.Count(w, "{") != strings.Count(w, "}") {
		return nil, fmt.Errorf("%q opens and closes braces unevenly; {x,y} stands for either", w)
	}
	body, err := t.cutSlices(w)
	if err != nil {
		return nil, err
	}
	if kind, word, ok := strings.Cut(body, ":"); ok && !strings.ContainsRune(kind, '[') {
		if kind != kindTag && kind != KindState && kind != KindReason {
			return nil, fmt.Errorf("there is no %s: in %q; the words before a colon are tag, state and reason", kind, w)
		}
		t.kind, body = kind, word
	} else if name, rest, ok := strings.Cut(body, `["`); ok {
		if body, t.instance, ok = name, strings.TrimSuffix(rest, `"]`), strings.HasSuffix(rest, `"]`); !ok {
			return nil, fmt.Errorf(`%q lacks the end of its instance; write stage["instance"]`, w)
		}
	}
	switch {
	case body == "":
		return nil, fmt.Errorf("%q names nothing", w)
	case strings.HasPrefix(body, "!"):
		return nil, fmt.Errorf("put the ! of %q first: !+a is all but a and its ancestors", w)
	}
	t.pattern = body
	for _, pattern := range []string{t.pattern, t.instance} {
		if !doublestar.ValidatePattern(pattern) {
			return nil, fmt.Errorf("%q is no pattern; * stands for any letters, ? for one, [ab] for one of them, {x,y} for either", pattern)
		}
	}
	return t, nil
}

// cutSlices takes every [key=pattern,…] at the end off; the brackets of a stage
// instance, as in approach["or_low"], stay.
func (t *term) cutSlices(body string) (string, error) {
	for strings.HasSuffix(body, "]") {
		open := opening(body)
		if open < 0 {
			return "", fmt.Errorf("%q closes a bracket that is not open", body)
		}
		inner := body[open+1 : len(body)-1]
		if strings.HasPrefix(inner, `"`) {
			return body, nil
		}
		for _, c := range splitOutside(inner) {
			key, pattern, ok := strings.Cut(strings.TrimSpace(c), "=")
			if !ok && inner == c && isWord(c) { // as a shell leaves it that takes quotes away
				return "", fmt.Errorf("%q in the brackets of %q is not key=pattern, as in dt=2025-06..2025-07-04; an instance of a stage has quotes: '%s[\"%s\"]'", c, body, body[:open], c)
			}
			if !ok || key == "" || pattern == "" {
				return "", fmt.Errorf("%q in the brackets of %q is not key=pattern, as in dt=2025-06..2025-07-04", c, body)
			}
			t.slice = append(t.slice, condition{key, pattern})
		}
		body = body[:open]
	}
	if n := strings.Count(body, "[") - strings.Count(body, "]"); n > 0 {
		return "", fmt.Errorf("%q lacks its closing bracket; a slice is written dataset[key=pattern,key=pattern]", body)
	} else if n < 0 {
		return "", fmt.Errorf("%q closes a bracket that is not open", body)
	}
	return body, nil
}

// opening finds the bracket that the last one of body closes; -1 for none.
func opening(body string) int {
	depth := 0
	for i := len(body) - 1; i >= 0; i-- {
		switch body[i] {
		case ']':
			depth++
		case '[':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// splitOutside cuts at the commas that stand outside of brackets and braces.
func splitOutside(s string) []string {
	var parts []string
	depth, start := 0, 0
	for i, r := range s {
		switch r {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth <= 0 {
				parts = append(parts, s[start:i])
				start = i + 1
			}
		}
	}
	return append(parts, s[start:])
}

// isWord tells what may be the name of an instance.
func isWord(text string) bool {
	for i, r := range text {
		if r != '_' && (i == 0 || r != '-') && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return text != ""
}
