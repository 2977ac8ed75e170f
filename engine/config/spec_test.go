package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// eachSpec calls f with every block spec, inner ones included.
func eachSpec(list []*BlockSpec, path string, f func(path string, s *BlockSpec)) {
	for _, s := range list {
		f(path+s.Type, s)
		eachSpec(s.Blocks, path+s.Type+".", f)
	}
}

func TestSpecsAreComplete(t *testing.T) {
	eachSpec(Blocks(), "", func(path string, s *BlockSpec) {
		if s.Doc == "" || s.Names == (len(s.Arguments) > 0) {
			t.Errorf("%s has doc %q and %d arguments", path, s.Doc, len(s.Arguments))
		}
		seen := map[string]bool{}
		for _, a := range s.Arguments {
			switch {
			case a.Type == "" || a.Doc == "":
				t.Errorf("%s of %s has type %q and doc %q", a.Name, path, a.Type, a.Doc)
			case a.Required && a.Default != "":
				t.Errorf("%s of %s is required and has a default", a.Name, path)
			case seen[a.Name]:
				t.Errorf("%s has two arguments %s", path, a.Name)
			}
			seen[a.Name] = true
		}
	})
	for _, f := range Functions() {
		if f.Doc == "" {
			t.Errorf("function %s has no description", f.Name)
		}
	}
}

// TestExamplesAreHCL sees that each example is the block it stands at, in
// canonical format.
func TestExamplesAreHCL(t *testing.T) {
	eachSpec(Blocks(), "", func(path string, s *BlockSpec) {
		if s.Example == "" {
			return
		}
		out, ds := Format([]byte(s.Example+"\n"), path)
		if len(ds) > 0 || string(out) != s.Example+"\n" {
			t.Errorf("the example of %s is not in canonical format: %v\n%s", path, ds, out)
		}
		if !strings.HasPrefix(s.Example, s.Type) {
			t.Errorf("the example of %s shows something else", path)
		}
	})
}

// wrong returns a value that no argument of a type takes.
func wrong(argument ArgumentSpec) string {
	if strings.HasPrefix(argument.Type, typeText) || argument.Type == typeDuration {
		return `["not text"]`
	}
	return `"neither"`
}

// TestTypesAreThoseOfTheSpec gives each argument of the types below a value of
// another type, and wants that reported.
func TestTypesAreThoseOfTheSpec(t *testing.T) {
	base := readBase(t)
	held := []string{typeText, typeTexts, typeNumber, typeBool, typeDuration, typeReference}
	heads := map[string]string{
		"variable.validation": "variable \"v\" {\n default = 1\n validation {\n%s\n}\n}\n", "calendar": "calendar \"c\" {\n%s\n}\n", "key": "key \"k\" {\n%s\n}\n",
		"source": "source \"a\" \"b\" \"c\" {\n%s\n}\n", "dataset": "dataset \"a\" \"b\" \"c\" {\n%s\n}\n", "stage": "stage \"s\" {\n%s\n}\n",
		"stage.input": "stage \"s\" {\n input \"events\" {\n%s\n}\n}\n", "stage.output": "stage \"s\" {\n output \"bars\" {\n%s\n}\n}\n",
		"stage.input.window": "stage \"s\" {\n input \"events\" {\n window {\n%s\n}\n}\n}\n",
		"stage.resources":    "stage \"s\" {\n resources {\n%s\n}\n}\n", "stage.retry": "stage \"s\" {\n retry {\n%s\n}\n}\n",
	}
	eachSpec(Blocks(), "", func(path string, s *BlockSpec) {
		head, ok := heads[path]
		for _, a := range s.Arguments {
			if !ok || !slices.Contains(held, a.Type) || a.Name == "name" || a.Name == "error_message" {
				continue
			}
			_, ds := Load(base.with(map[string]string{"pipelines/x.hcl": fmt.Sprintf(head, a.Name+" = "+wrong(a)+companions(path, a.Name))}).options())
			found := false
			for _, d := range ds {
				found = found || d.Code == codeType && d.Range.File == "pipelines/x.hcl"
			}
			if !found {
				t.Errorf("%s of %s is said to be a %s, and takes %s: %v", a.Name, path, a.Type, wrong(a), ds)
			}
		}
	})
}

// companions are further arguments without which one is not looked at.
func companions(path, argument string) string {
	more := map[string]string{
		"key.calendar": "\ntype = date", "key.pattern": "\ntype = string",
		"stage.input.window.lookahead": "\nkey = \"dt\"\nsessions = [0, 1]",
		"stage.input.window.min":       "\nkey = \"dt\"\nsessions = [-1, 0]",
		"dataset.sort":                 "\nkeys = [\"dt\"]\npath = \"x\"\ncontract = \"bars.avsc\"",
	}
	return more[path+"."+argument]
}
