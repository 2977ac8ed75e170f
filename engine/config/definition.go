package config

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Definition is the part of the stage, as evaluated, that its output depends
// on: what each port is connected to, windows, collects and fan-outs, a line a
// port. It leaves out timeout, retry, resources, description and tags, and the
// transform and its parameters, which fingerprints hold beside it.
func (s *Stage) Definition() string {
	var b strings.Builder
	for _, in := range s.Inputs {
		fmt.Fprintf(&b, "input %s from %s", in.Port, in.From.Addr)
		if len(in.Collect) > 0 {
			fmt.Fprintf(&b, " collect %s", strings.Join(in.Collect, ","))
		}
		if w := in.Window; w != nil {
			fmt.Fprintf(&b, " window %s [%d,%d] min %d on_short %s", w.Key, w.Lo, w.Hi, w.Min, w.OnShort)
		}
		b.WriteByte('\n')
	}
	for _, out := range s.Outputs {
		fmt.Fprintf(&b, "output %s to %s", out.Port, out.To.Addr)
		if len(out.FanOut) > 0 {
			fmt.Fprintf(&b, " fan_out %s", strings.Join(out.FanOut, ","))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// DefinitionLines is the definition as manifests keep it: a line a port.
func (s *Stage) DefinitionLines() []string {
	return strings.Split(strings.TrimSuffix(s.Definition(), "\n"), "\n")
}

// ParamsText is the canonical JSON of the parameters, defaults included: names
// in order, no spaces.
func (s *Stage) ParamsText() string {
	if len(s.Params) == 0 {
		return "{}"
	}
	text, err := json.Marshal(s.Params)
	if err != nil {
		// Load admits finite numbers, texts and lists of them only.
		return fmt.Sprintf("%v", s.Params)
	}
	return string(text)
}
