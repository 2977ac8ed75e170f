package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"dag/engine/view"
)

// commands is the tree as it is when nothing has been typed.
func commands() *cobra.Command {
	a := &app{name: "dag", stdout: io.Discard, stderr: io.Discard, log: zerolog.Nop(), notice: func(string) {}}
	return a.root()
}

// eachVerb calls f with every command below c.
func eachVerb(c *cobra.Command, f func(*cobra.Command)) {
	for _, sub := range c.Commands() {
		f(sub)
		eachVerb(sub, f)
	}
}

// TestReferenceIsUpToDate compares the pages of the repository with what the
// commands and specs say now.
func TestReferenceIsUpToDate(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	files, err := (&app{}).reference(commands())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, f.text) {
			t.Errorf("%s is not up to date: go run ./cmd/dag docs", f.path)
		}
	}
}

// TestFactsAreOfVerbs holds facts.go to the commands and the schemas.
func TestFactsAreOfVerbs(t *testing.T) {
	verbs := map[string]bool{}
	eachVerb(commands(), func(c *cobra.Command) { verbs[strings.TrimPrefix(c.CommandPath(), "dag ")] = true })
	_, schemas := schemaTexts()
	for verb, f := range facts {
		if !verbs[verb] {
			t.Errorf("facts.go speaks of %q, which is no verb", verb)
		}
		if len(f.documents) == 0 && verb != "completion" {
			t.Errorf("%s writes no document", verb)
		}
		for _, d := range f.documents {
			if schemas[d] == nil {
				t.Errorf("%s is said to write %s, which has no schema", verb, d)
			}
		}
	}
}

// TestWhatWritesDocuments: the commands that are said to write a document exist.
func TestWhatWritesDocuments(t *testing.T) {
	pages, err := verbPages(commands())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := documentRows(pages)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, m := range regexp.MustCompile("`dag ([^`]*)`").FindAllStringSubmatch(row.Writers, -1) {
			cmd, rest, err := commands().Find(strings.Fields(m[1]))
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err != nil || !cmd.Runnable() {
				t.Errorf("%s is said to be written by dag %s: %v", row.Name, m[1], err)
			}
		}
	}
	for _, p := range pages {
		for _, f := range p.Flags {
			if _, err := strconv.Atoi(f.Value); err == nil {
				t.Errorf("%s %s takes a value that is called %s", p.Path, f.Flag, f.Value)
			}
		}
	}
}

func TestUnwrap(t *testing.T) {
	got := unwrap("A sentence\nin two lines.\n\n  a    the first\n  b,c  the second\n\n  not all\nare indented\n")
	if want := "A sentence in two lines.\n\n```\na    the first\nb,c  the second\n```\n\nnot all are indented"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEveryDocumentIsChecked wants a script that holds what is written to each
// schema.
func TestEveryDocumentIsChecked(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	checked := map[string]bool{}
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^schema ([a-z_]+)`).FindAllSubmatch(text, -1) {
			checked[string(m[1])] = true
		}
	}
	names, _ := schemaTexts()
	for _, name := range names {
		if !checked[name] {
			t.Errorf("no script checks a document against the schema %s", name)
		}
	}
}

// TestExamplesCanBeTyped parses every command of every example, and those of the
// first screen: verbs, flags and numbers of arguments must be right.
func TestExamplesCanBeTyped(t *testing.T) {
	typed := firstSteps(t)
	eachVerb(commands(), func(c *cobra.Command) {
		if c.Example == "" && !c.Hidden {
			t.Errorf("%s has no example", c.CommandPath())
		}
		typed = append(typed, strings.Split(c.Example, "\n")...)
	})
	for _, line := range typed {
		for _, words := range commandsIn(line) {
			cmd, rest, err := commands().Find(words)
			if err == nil {
				err = cmd.ParseFlags(rest)
			}
			if err == nil {
				err = cmd.ValidateArgs(cmd.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(line), err)
			}
			if len(words) > 0 && !cmd.Runnable() {
				t.Errorf("%s runs nothing", strings.TrimSpace(line))
			}
		}
	}
}

// firstSteps are the commands that the first screen shows.
func firstSteps(t *testing.T) []string {
	t.Helper()
	var b bytes.Buffer
	if err := view.FirstScreen(&b, view.Style{}, view.Commands{Name: "dag"}); err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(b.String()) {
		if typed, ok := strings.CutPrefix(line, "  "); ok {
			typed, _, _ = strings.Cut(typed, "  ")
			list = append(list, typed)
		}
	}
	return list
}

// commandsIn are the words after each dag of a line.
func commandsIn(line string) [][]string {
	var list [][]string
	words := append(shellWords(strings.TrimSpace(line)), "|")
	for len(words) > 0 {
		end := slices.IndexFunc(words, func(w string) bool { return w != "" && strings.Trim(w, "|&<>") == "" })
		if end > 0 && words[0] == "dag" {
			list = append(list, words[1:end])
		}
		words = words[end+1:]
	}
	return list
}

// TestFirstScreen wants a dozen different verbs that exist.
func TestFirstScreen(t *testing.T) {
	seen := map[string]bool{}
	for _, step := range firstSteps(t) {
		verb := shellWords(step)[1]
		if c, _, err := commands().Find([]string{verb}); err != nil || c.Name() != verb {
			t.Errorf("the first screen shows %q, which is no verb", step)
		}
		seen[verb] = true
	}
	if len(seen) != 12 {
		t.Errorf("the first screen shows %d verbs", len(seen))
	}
	var b bytes.Buffer
	if err := view.FirstScreen(&b, view.Style{}, view.Commands{Name: "./dag"}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := len([]rune(line)); n > 101 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestMarkup(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{markdownCell("a | b\n  c"), `a \| b c`}, {markdownCode(""), ""}, {markdownCode("x"), "`x`"},
		{markdownAnchor("dag lock ls"), "dag-lock-ls"}, {unwrap("one\ntwo\n\nthree\nfour"), "one two\n\nthree four"},
		{dedent("  a\n    b"), "a\n  b"}, {roff(".x `--y`\n'z \\"), "\\&.x \\-\\-y\n\\&'z \\e"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestManPages makes a page a verb, in which no line of text is taken for a
// request of roff.
func TestManPages(t *testing.T) {
	files, err := manPages(commands(), "man")
	if err != nil {
		t.Fatal(err)
	}
	requests := []string{".TH", ".SH", ".TP", ".B", ".BR", ".nf", ".fi"}
	verbs := 1
	eachVerb(commands(), func(c *cobra.Command) {
		if c.IsAvailableCommand() {
			verbs++
		}
	})
	if len(files) != verbs {
		t.Errorf("%d pages for %d verbs", len(files), verbs)
	}
	for _, f := range files {
		for line := range strings.Lines(string(f.text)) {
			word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
			if strings.HasPrefix(line, ".") && !slices.Contains(requests, word) {
				t.Errorf("%s: %s", f.path, line)
			}
		}
		for _, section := range []string{".SH NAME", ".SH SYNOPSIS", ".SH EXIT STATUS"} {
			if !bytes.Contains(f.text, []byte(section+"\n")) {
				t.Errorf("%s has no %s", f.path, section)
			}
		}
	}
}
