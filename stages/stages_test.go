package stages_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dag/engine/stage"
	"dag/stages"
)

// TestEveryFolderIsListed finds the folders of transforms, two below a layer,
// and looks for a transform of that name in the list.
func TestEveryFolderIsListed(t *testing.T) {
	var names, listed []string
	for _, layer := range []string{"bronze", "silver", "gold"} {
		if _, err := os.Stat(layer); err != nil {
			continue
		}
		err := filepath.WalkDir(layer, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if parts := strings.Split(filepath.ToSlash(path), "/"); len(parts) == 3 {
				names = append(names, strings.Join(parts, "."))
				return fs.SkipDir
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, tr := range stages.All() {
		listed = append(listed, tr.Spec().Name)
	}
	slices.Sort(listed)
	slices.Sort(names)
	if len(names) == 0 || !slices.Equal(names, listed) {
		t.Errorf("folders %v, list %v", names, listed)
	}
}

// TestSpecsAreWhole checks what help, validation and docs are made of.
func TestSpecsAreWhole(t *testing.T) {
	for _, tr := range stages.All() {
		s := tr.Spec()
		if s.Version < 1 || s.Summary == "" || s.Memory <= 0 || len(s.Inputs) == 0 || len(s.Outputs) == 0 {
			t.Errorf("%s: version, summary, memory, inputs or outputs are missing", s.Name)
		}
		for _, p := range s.Params {
			if p.Doc == "" {
				t.Errorf("%s: parameter %s has no doc", s.Name, p.Name)
			}
			if p.Check != nil && p.Default != nil {
				if err := p.Check(p.Default); err != nil {
					t.Errorf("%s: the default of %s is refused: %v", s.Name, p.Name, err)
				}
			}
		}
		for _, in := range s.Inputs {
			if in.Doc == "" || in.Raw != (in.Columns == nil) {
				t.Errorf("%s: input %s has no doc, or no columns", s.Name, in.Name)
			}
		}
		for _, out := range s.Outputs {
			checkOutput(t, s, out)
		}
	}
}

// checkOutput looks at what a port declares beside its rows, and at rows that go
// on from an input: what is not added must be there.
func checkOutput(t *testing.T, s stage.Spec, out stage.Output) {
	t.Helper()
	if out.Doc == "" || out.FanOut && (out.Extends != nil || out.Tables != nil || out.Files != nil) {
		t.Errorf("%s: output %s has no doc, or fans out what cannot", s.Name, out.Name)
	}
	for _, x := range out.Tables {
		if x.Doc == "" || x.Schema == nil {
			t.Errorf("%s: table %s of output %s has no doc or schema", s.Name, x.Name, out.Name)
		}
	}
	if out.Extends == nil {
		return
	}
	i := slices.IndexFunc(s.Inputs, func(in stage.Input) bool { return in.Name == out.Extends.Port && !in.Raw })
	if i < 0 {
		t.Errorf("%s: output %s goes on from %q, which is no input", s.Name, out.Name, out.Extends.Port)
		return
	}
	for _, f := range out.Schema.Fields() {
		if slices.Contains(out.Extends.Adds, f.Name) {
			continue
		}
		at := s.Inputs[i].Columns.FieldIndices(f.Name)
		if len(at) == 0 || !s.Inputs[i].Columns.Field(at[0]).Equal(f) {
			t.Errorf("%s: column %s of output %s is not that of input %s", s.Name, f.Name, out.Name, out.Extends.Port)
		}
	}
	for _, name := range out.Extends.Adds {
		if !out.Schema.HasField(name) {
			t.Errorf("%s: output %s adds %q and does not have it", s.Name, out.Name, name)
		}
	}
}
