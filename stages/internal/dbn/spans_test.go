package dbn_test

import (
	"strings"
	"testing"

	"dag/stages/internal/dbn"
)

func TestSpans(t *testing.T) {
	type event struct {
		id int32
		ts uint64
	}
	for name, c := range map[string]struct {
		files [][]event
		want  string
	}{
		"a copy":                 {[][]event{{{0, 1}, {0, 9}}, {{0, 1}, {0, 9}}}, "a and b both hold events of I0 received from 1970-01-01 00:00:00.000000001 to 1970-01-01 00:00:00.000000009 UTC"},
		"a copy of one event":    {[][]event{{{0, 5}}, {{0, 5}}}, "a and b"},
		"parts by time":          {[][]event{{{0, 1}, {0, 4}}, {{0, 5}, {0, 9}}}, ""},
		"parts that touch":       {[][]event{{{0, 1}, {0, 5}}, {{0, 5}, {0, 9}}}, ""},
		"one event, and on":      {[][]event{{{0, 5}}, {{0, 5}, {0, 9}}}, ""},
		"parts in another order": {[][]event{{{0, 5}, {0, 9}}, {{0, 4}, {0, 1}}}, ""},
		"parts out of order":     {[][]event{{{0, 1}, {0, 6}}, {{0, 5}, {0, 9}}}, ""},
		"one late event":         {[][]event{{{0, 1}, {0, 6}}, {{0, 5}}}, ""},
		"parts that overlap":     {[][]event{{{0, 1}, {0, 3e9}}, {{0, 1e9}, {0, 4e9}}}, "from 1970-01-01 00:00:01.000000000 to 1970-01-01 00:00:03.000000000"},
		"parts by instrument":    {[][]event{{{0, 1}, {0, 9}}, {{1, 1}, {1, 9}}}, ""},
		"the beginning again":    {[][]event{{{0, 1}, {0, 9}}, {{0, 1}, {0, 4}}}, "a and b"},
		"one within the other":   {[][]event{{{1, 1}, {0, 1}, {0, 9e9}}, {{0, 3e9}, {0, 4e9}}}, "from 1970-01-01 00:00:03.000000000 to 1970-01-01 00:00:04.000000000"},
		"a third":                {[][]event{{{0, 1}, {0, 2e9}}, {{0, 3e9}, {0, 4e9}}, {{0, 9e8}, {0, 6e9}}}, "a and c"},
	} {
		t.Run(name, func(t *testing.T) {
			var s dbn.Spans
			var err error
			for i, events := range c.files {
				s.Begin(string(rune('a' + i)))
				for _, e := range events {
					s.Add(e.id, e.ts)
				}
				if err == nil {
					err = s.End(func(id int32) string { return "I" + string('0'+id) })
				}
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
