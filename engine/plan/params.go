package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
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
