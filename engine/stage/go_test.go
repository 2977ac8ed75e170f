package stage_test

import (
	"errors"
	"strings"
	"testing"

	"dag/engine/stage"
)

func TestGo(t *testing.T) {
	end := errors.New("the end")
	if err := stage.Go(func() error { return end })(); err != end {
		t.Errorf("error %v", err)
	}
	wait := stage.Go(func() error { panic("a bug") })
	defer func() {
		p, ok := recover().(*stage.Panic)
		if !ok || p.Value != "a bug" || !strings.Contains(string(p.Stack), "TestGo.func") {
			t.Errorf("panic %+v", p)
		}
	}()
	wait()
	t.Error("wait returned")
}
