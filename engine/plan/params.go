package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"dag/engine/graph"
	"dag/engine/manifest"
)

// differingParams writes the parameters that differ, as name = value, on either
// side.
func differingParams(was any, nowText string) (old, new string) {
	now := map[string]any{}
	if json.Unmarshal([]byte(nowText), &now) != nil {
		return "", ""
	}
	before, _ := was.(map[string]any)
	var names []string
	for n := range now {
		names = append(names, n)
	}
	for n := range before {
		if _, ok := now[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var o, n []string
	for _, name := range names {
		a, b := jsonText(before, name), jsonText(now, name)
		if a != b {
			o, n = append(o, name+" = "+a), append(n, name+" = "+b)
		}
	}
	return strings.Join(o, ", "), strings.Join(n, ", ")
}

// differingLines writes the lines that only one side has; nothing where what was is
// not recorded.
func differingLines(was, now []string) (old, new string) {
	if was == nil {
		return "", ""
	}
	only := func(a, b []string) string {
		return strings.Join(slices.DeleteFunc(slices.Clone(a), func(line string) bool { return slices.Contains(b, line) }), ", ")
	}
	return cmp.Or(only(was, now), "(none)"), cmp.Or(only(now, was), "(none)")
}

// differingContract writes the digests of a contract that has changed, or the paths
// of one that has been put in place of another; nothing where a table's has.
func differingContract(was manifest.Contract, s *graph.Stage) (old, new string) {
	for _, o := range s.Outputs {
		if o.To.ContractPath == was.Path && o.To.Contract.Digest != was.Digest {
			return was.Digest, o.To.Contract.Digest
		}
	}
	if len(s.Outputs) == 1 && s.Outputs[0].To.ContractPath != was.Path {
		return was.Path, s.Outputs[0].To.ContractPath
	}
	return "", ""
}

func jsonText(values map[string]any, name string) string {
	v, ok := values[name]
	if !ok {
		return "(none)"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
