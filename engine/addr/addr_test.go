package addr_test

import (
	"slices"
	"strings"
	"testing"

	"dag/engine/addr"
)

func TestPartitionRoundTrip(t *testing.T) {
	for _, text := range []string{
		"silver.future.market_by_price_10_bar5s[symbol=ESU5,dt=2025-08-05]",
		"gold.future.setup_index[root=ES]",
		"gold.future.calendar",
	} {
		p, err := addr.ParsePartition(text)
		if err != nil {
			t.Fatal(err)
		}
		if p.String() != text {
			t.Errorf("%q came back as %q", text, p)
		}
	}
	p, err := addr.ParsePartition("a.b.c[symbol=ESU5, dt=2025-08-05]")
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := p.Keys.Get("dt"); !ok || v != "2025-08-05" {
		t.Errorf("dt = %q, %v", v, ok)
	}
	if _, ok := p.Keys.Get("sym"); ok {
		t.Error("a key that is not there was found")
	}
}

func TestParseMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"silver.future":           "three parts",
		"silver..x":               "three parts",
		"a.b.c[symbol=ESU5":       "closing bracket",
		"a.b.c[symbol]":           "not key=value",
		"a.b.c[symbol=../x]":      "starts with a dot",
		"a.b.c[symbol=ES/U5]":     "cannot stand in a folder name",
		"a.b.c[symbol=]":          "cannot be empty",
		"a.b.c[symbol=a\x00b]":    "cannot stand in a folder name",
		"a.b.c[symbol=a\xff\xfe]": "cannot stand in a folder name",
		"a.b.c[symbol=" + strings.Repeat("x", 1000) + "]": "1000 bytes",
	} {
		_, err := addr.ParsePartition(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v does not say %q", text, err, want)
		}
	}
}

func TestUnitName(t *testing.T) {
	if got := addr.UnitName("bars", ""); got != "bars" {
		t.Error(got)
	}
	if got := addr.UnitName(`approach["or_low"]`, "symbol=ESU5,dt=2025-08-05"); got != `approach["or_low"][symbol=ESU5,dt=2025-08-05]` {
		t.Error(got)
	}
}

func TestStageString(t *testing.T) {
	if s := (addr.Stage{Name: "approach", Instance: "or_low"}).String(); s != `approach["or_low"]` {
		t.Error(s)
	}
	if s := (addr.Stage{Name: "bar5s"}).String(); s != "bar5s" {
		t.Error(s)
	}
}

func FuzzParsePartition(f *testing.F) {
	f.Add("silver.future.bar5s[symbol=ESU5,dt=2025-08-05]")
	f.Add("a.b.c[]")
	f.Add("a.b.c[x=..]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := addr.ParsePartition(text)
		if err != nil {
			return
		}
		again, err := addr.ParsePartition(p.String())
		if err != nil || again != p {
			t.Errorf("%q reads as %v, and that as %v (%v)", text, p, again, err)
		}
		for _, kv := range p.Keys.Pairs() {
			if strings.ContainsAny(kv.Value, `/\`) || strings.HasPrefix(kv.Value, ".") {
				t.Errorf("%q lets the value %q through", text, kv.Value)
			}
		}
	})
}

// TestInsert holds it to joining all pairs anew.
func TestInsert(t *testing.T) {
	dt := addr.KeyValue{Key: "dt", Value: "2025-08-05"}
	for n := range 4 {
		pairs := []addr.KeyValue{{Key: "root", Value: "ES"}, {Key: "symbol", Value: "ESU5"}, {Key: "x", Value: ""}}[:n]
		for at := range 5 {
			want := addr.MakeKeys(slices.Insert(slices.Clone(pairs), min(at, n), dt)...)
			if got := addr.MakeKeys(pairs...).Insert(at, dt); got != want {
				t.Errorf("%d before: %s, want %s", at, got, want)
			}
		}
	}
	keys := addr.Keys("root=ES,symbol=ESU5")
	if n := testing.AllocsPerRun(100, func() { _ = keys.Insert(1, dt) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
