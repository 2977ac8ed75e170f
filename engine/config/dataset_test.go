package config

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dag/engine/addr"
)

func TestFolder(t *testing.T) {
	c := readBase(t).load(t)
	events := c.dataset(t, "bronze.future.events")
	keys := map[string]string{"symbol": "ESU5", "dt": "2025-08-04"}
	if got, err := events.Folder(keys); err != nil || got != "bronze/symbol=ESU5/table=events/dt=2025-08-04" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := events.Partition(keys); err != nil || got.String() != "bronze.future.events[symbol=ESU5,dt=2025-08-04]" {
		t.Errorf("got %s, %v", got, err)
	}
	for symbol, want := range map[string]string{
		"../../etc":  "starts with a dot",
		"ES/U5":      "cannot stand in a folder name",
		"esu5":       "does not match [A-Z0-9]{1,12}",
		"ESU5\n":     "cannot stand in a folder name",
		"ESU5ESU5ES": "",
		"":           "cannot be empty",
	} {
		_, err := events.Folder(map[string]string{"symbol": symbol, "dt": "2025-08-04"})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want %s", symbol, err, want)
		}
	}
	for keys, want := range map[string]string{
		"symbol=ESU5":               "no value for key dt",
		"symbol=ESU5,dt=2025-02-30": "is not a date",
	} {
		values := map[string]string{}
		for _, kv := range addr.Keys(keys).Pairs() {
			values[kv.Key] = kv.Value
		}
		if _, err := events.Folder(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", keys, err, want)
		}
		if _, err := events.Partition(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", keys, err, want)
		}
	}
}

func TestValues(t *testing.T) {
	c := readBase(t).with(map[string]string{"pipelines/chain.hcl": `
key "family" {
  type   = string
  derive = key.root == "MES" ? "ES" : key.root
}
`}).load(t)
	events := c.dataset(t, "bronze.future.events")
	if got := keyNames(events.Derived); strings.Join(got, " ") != "root family" {
		t.Errorf("derived are %v", got)
	}
	got := events.Values(map[string]string{"symbol": "MESU5", "dt": "2025-08-04"})
	if got["root"] != "MES" || got["family"] != "ES" || got["symbol"] != "MESU5" {
		t.Errorf("got %v", got)
	}
	got = events.Values(map[string]string{"symbol": "ES"})
	if root, ok := got["root"]; ok {
		t.Errorf("ES has the root %q", root)
	}
	if !events.Has("root") || !events.Has("dt") || events.Has("level") || events.Key("root") != nil || events.DateKey().Name != "dt" {
		t.Error("the keys are wrong")
	}
	if index := c.dataset(t, "gold.future.index"); index.DateKey() != nil || keyNames(index.Derived)[0] != "family" {
		t.Error("the keys of the index are wrong")
	}
}

func TestSegmentMatch(t *testing.T) {
	s := Segment{Prefix: "a=", Key: "k", Suffix: ".x"}
	for name, want := range map[string]string{"a=v.x": "v", "a=.x": "", "a.x": "", "b=v.x": "", "a=v": "", "": ""} {
		if got, ok := s.Match(name); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %t", name, got, ok)
		}
	}
	if _, ok := (Segment{Prefix: "x"}).Match("x"); !ok {
		t.Error("a literal does not match itself")
	}
	rapid.Check(t, func(t *rapid.T) {
		s := Segment{Prefix: rapid.String().Draw(t, "prefix"), Key: "k", Suffix: rapid.String().Draw(t, "suffix")}
		v := rapid.StringN(1, -1, -1).Draw(t, "value")
		if got, ok := s.Match(s.Name(v)); !ok || got != v {
			t.Fatalf("%q came back as %q", v, got)
		}
	})
}

// TestSegmentsMeet draws segments and values: two that have the same name must
// be said to meet.
func TestSegmentsMeet(t *testing.T) {
	key := &Key{Name: "k"}
	if !segmentsMeet(Segment{Key: "k", Suffix: "b=a"}, key, Segment{Prefix: "ab=", Key: "k"}, key) {
		t.Error("ab=a is a name of both, with the value a")
	}
	if segmentsMeet(Segment{Key: "k"}, key, Segment{Prefix: "ab=", Key: "k"}, key) {
		t.Error("no value holds ab=, and nothing follows it")
	}
	text := rapid.StringMatching(`[ab=]{0,3}`)
	value := rapid.StringMatching(`[ab]{1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		a := Segment{Prefix: text.Draw(t, "a"), Key: "k", Suffix: text.Draw(t, "a suffix")}
		b := Segment{Prefix: text.Draw(t, "b"), Key: "k", Suffix: text.Draw(t, "b suffix")}
		va, vb := value.Draw(t, "va"), value.Draw(t, "vb")
		if a.Name(va) == b.Name(vb) && !segmentsMeet(a, key, b, key) {
			t.Fatalf("%s and %s are both %q", a, b, a.Name(va))
		}
		if literal := (Segment{Prefix: a.Name(va)}); !segmentsMeet(a, key, literal, nil) || !segmentsMeet(literal, nil, a, key) {
			t.Fatalf("%s does not meet %s", a, literal)
		}
	})
}
