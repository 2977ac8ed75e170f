package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// sample is a manifest with every field set.
func sample() *Manifest {
	files := []File{{Name: DataName, Bytes: 12, SHA256: strings.Repeat("ab", 32)}}
	return &Manifest{
		Format: Format, FormatVersion: FormatVersion,
		Dataset: "bronze.future.market_by_price_10", Keys: "symbol=ESU5,dt=2025-08-04",
		Stage: `ingest["a"]`, Unit: "root=ES,dt=2025-08-04", Transform: "bronze.future.mbp10", Version: 3,
		Contract: Contract{Path: "bronze/future/market_by_price_10.avsc", Digest: "d"},
		Params:   map[string]any{"b": []any{1.5, "<x>"}, "a": true},
		Fingerprint: Fingerprint{
			Sum: NewHasher("x").Done().String(), Definition: "d", Params: "p", Transform: "t", Contract: "c", Inputs: "i",
		},
		Inputs: []Input{{Port: "dbn", Partition: "raw.future.dbn[root=ES]", Digest: "e", File: "raw/x.dbn", Bytes: 5, ModTime: 1754300000000000001}},
		FanOut: []string{"ESU5"}, Files: files, Digest: ContentDigest(files).String(), RowCount: 7,
		Metrics: Metrics{"dropped": 2, "crossed": 1}, Reason: Reason{Code: "missing", Detail: "x"},
		Run:     Run{ID: "r", StartedAt: "2025-08-05T00:00:00Z", ElapsedNS: 9},
		Touched: []Touch{{At: "2025-08-06T00:00:00Z", Reason: "renamed", Code: "stage_changed", Detail: "x", Fingerprint: NewHasher("y").Done().String()}},
	}
}

func TestEncodeDecode(t *testing.T) {
	b, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, []byte("{\n  \"format\": \"dag.manifest\",\n  \"format_version\": 1,\n")) || !bytes.HasSuffix(b, []byte("}\n")) {
		t.Errorf("%s", b)
	}
	if !bytes.Contains(b, []byte(`"<x>"`)) {
		t.Error("HTML characters are escaped")
	}
	again, err := Encode(sample())
	if err != nil || !bytes.Equal(b, again) {
		t.Error("the same manifest gives other bytes", err)
	}
	got, err := Decode(b)
	if err != nil || !reflect.DeepEqual(got, sample()) {
		t.Errorf("%+v %v", got, err)
	}
	if p := got.Partition().String(); p != "bronze.future.market_by_price_10[symbol=ESU5,dt=2025-08-04]" {
		t.Error(p)
	}
	empty := &Manifest{Dataset: "a.b.c", Fingerprint: sample().Fingerprint, Digest: ContentDigest(nil).String()}
	b, err = Encode(empty)
	if err != nil || !bytes.Contains(b, []byte(`"inputs": []`)) || !bytes.Contains(b, []byte(`"files": []`)) {
		t.Errorf("%s %v", b, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	good, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{`"dag.manifest"`, `"other"`, "not a manifest of dag"},
		{`"format_version": 1`, `"format_version": 2`, "format version 2; this program reads version 1"},
		{`"format_version": 1`, `"format_version": "1"`, "format version 1"},
		{"}\n", "", "not JSON"},
		{"}\n", "} {}", "not JSON"},
		{`"row_count": 7`, `"row_count": -7`, "row_count is -7"},
		{`"row_count": 7`, `"row_count": "7"`, "cannot unmarshal"},
		{`"part-00000.parquet"`, `"../x"`, `files has "../x"`},
		{`"part-00000.parquet"`, `"part-00001.parquet"`, "is not that of files"},
		{`"dataset": "bronze.`, `"dataset": "`, "is not a dataset address"},
		{`symbol=ESU5,dt`, `symbol=../x,dt`, "keys are not"},
		{`"digest": "` + sample().Digest, `"digest": "zz`, "is not a digest"},
		{`"sum": "`, `"sum": "z`, "fingerprint"},
	} {
		bad := strings.Replace(string(good), c.from, c.to, 1)
		if c.from == "}\n" {
			bad = strings.TrimSuffix(string(good), c.from) + c.to
		}
		if bad == string(good) {
			t.Fatalf("%s does not occur", c.from)
		}
		if _, err := Decode([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s → %s: %v", c.from, c.to, err)
		}
	}
	if _, err := Decode([]byte(`{"dataset":"x","dt":"2025-08-04","hour":null}`)); !errors.Is(err, ErrForeign) {
		t.Error(err)
	}
	if _, err := Decode(make([]byte, MaxBytes+1)); err == nil {
		t.Error("a huge manifest is read")
	}
	bad := sample()
	bad.RowCount = -1
	if _, err := Encode(bad); err == nil {
		t.Error("what cannot be decoded is encoded")
	}
}

// TestSchema holds a produced manifest to the published schema: as much of JSON
// Schema as that uses.
func TestSchema(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	b, err := Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := json.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for _, problem := range validate("manifest", schema, doc) {
		t.Error(problem)
	}
	if validate("manifest", schema, map[string]any{}) == nil {
		t.Error("an empty document is valid")
	}
	doc.(map[string]any)["row_count"] = -1.0
	if validate("manifest", schema, doc) == nil {
		t.Error("a negative row count is valid")
	}
}

// validate returns what of doc the schema does not allow, and the properties
// of doc that it does not describe.
func validate(at string, schema map[string]any, doc any) (problems []string) {
	add := func(format string, args ...any) { problems = append(problems, at+": "+fmt.Sprintf(format, args...)) }
	if c, ok := schema["const"]; ok && c != doc {
		add("is %v, not %v", doc, c)
	}
	if kinds := kindsOf(schema["type"]); len(kinds) > 0 && !slices.ContainsFunc(kinds, func(k string) bool { return isKind(k, doc) }) {
		add("%v is none of %v", doc, kinds)
	}
	switch doc := doc.(type) {
	case string:
		if p, ok := schema["pattern"].(string); ok && !regexp.MustCompile(p).MatchString(doc) {
			add("%q does not match %s", doc, p)
		}
	case float64:
		if least, ok := schema["minimum"].(float64); ok && doc < least {
			add("%v is less than %v", doc, least)
		}
	case []any:
		items, _ := schema["items"].(map[string]any) // none: anything goes
		for i, item := range doc {
			problems = append(problems, validate(fmt.Sprintf("%s[%d]", at, i), items, item)...)
		}
	case map[string]any:
		for _, name := range anys(schema["required"]) {
			if _, ok := doc[name.(string)]; !ok {
				add("%v is missing", name)
			}
		}
		properties, _ := schema["properties"].(map[string]any)
		for name, value := range doc {
			s, ok := properties[name].(map[string]any)
			if !ok {
				if s, ok = schema["additionalProperties"].(map[string]any); !ok && properties != nil {
					add("%s is not described", name)
				}
			}
			problems = append(problems, validate(at+"."+name, s, value)...)
		}
	}
	return problems
}

func anys(v any) []any { a, _ := v.([]any); return a }

func kindsOf(v any) (kinds []string) {
	if s, ok := v.(string); ok {
		return []string{s}
	}
	for _, k := range anys(v) {
		kinds = append(kinds, k.(string))
	}
	return kinds
}

func isKind(kind string, v any) bool {
	switch v := v.(type) {
	case nil:
		return kind == "null"
	case string:
		return kind == "string"
	case float64:
		return kind == "number" || kind == "integer" && v == float64(int64(v))
	case []any:
		return kind == "array"
	case map[string]any:
		return kind == "object"
	}
	return kind == "boolean"
}

// FuzzDecode: no input makes Decode panic, and what it accepts encodes to
// something it accepts again.
func FuzzDecode(f *testing.F) {
	good, err := Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte(`{"format":"dag.manifest","format_version":1}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		out, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Decode(out); err != nil {
			t.Fatal(err)
		}
	})
}
