// Package addr holds the names of things: datasets and sources, partitions,
// stage instances. It parses and prints them and orders them; it knows no
// files and no HCL.
package addr

import (
	"cmp"
	"fmt"
	"strings"
)

// Dataset names a dataset or a source: "silver.future.market_by_price_10".
// The zero value names nothing.
type Dataset struct {
	Layer   string // raw, bronze, silver, gold
	Product string // future, future_option
	Table   string
}

func (d Dataset) String() string { return d.Layer + "." + d.Product + "." + d.Table }

// Compare orders by the three parts in turn.
func (d Dataset) Compare(o Dataset) int {
	return cmp.Or(cmp.Compare(d.Layer, o.Layer), cmp.Compare(d.Product, o.Product), cmp.Compare(d.Table, o.Table))
}

// ParseDataset is the inverse of Dataset.String.
func ParseDataset(s string) (Dataset, error) {
	p := strings.Split(s, ".")
	if len(p) != 3 || p[0] == "" || p[1] == "" || p[2] == "" {
		return Dataset{}, fmt.Errorf("%q is not a dataset address; it has three parts, as in silver.future.market_by_price_10", s)
	}
	return Dataset{p[0], p[1], p[2]}, nil
}

// KeyValue is one key of a partition with its value.
type KeyValue struct{ Key, Value string }

// Keys is the identity of a partition within its dataset in canonical text,
// "symbol=ESU5,dt=2025-08-05", keys in the dataset's declared order. It is
// comparable; the empty Keys belongs to a dataset without keys.
type Keys string

// MakeKeys joins pairs that are in declared order. Values must have passed
// CheckValue.
func MakeKeys(kv ...KeyValue) Keys {
	var b strings.Builder
	for i, p := range kv {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(p.Key)
		b.WriteByte('=')
		b.WriteString(p.Value)
	}
	return Keys(b.String())
}

// Pairs splits k into its pairs, in order.
func (k Keys) Pairs() []KeyValue {
	if k == "" {
		return nil
	}
	parts := strings.Split(string(k), ",")
	kv := make([]KeyValue, len(parts))
	for i, p := range parts {
		kv[i].Key, kv[i].Value, _ = strings.Cut(p, "=")
	}
	return kv
}

// Insert returns k with a pair more, before which at others stand. It is what
// planning does for every partition.
func (k Keys) Insert(at int, kv KeyValue) Keys {
	cut := 0
	for ; at > 0 && cut < len(k); at-- {
		if n := strings.IndexByte(string(k[cut:]), ','); n >= 0 {
			cut += n + 1
		} else {
			cut = len(k)
		}
	}
	switch {
	case k == "":
		return Keys(kv.Key + "=" + kv.Value)
	case cut == len(k):
		return Keys(string(k) + "," + kv.Key + "=" + kv.Value)
	}
	return Keys(string(k[:cut]) + kv.Key + "=" + kv.Value + "," + string(k[cut:]))
}

// Get returns the value of one key and whether k has it.
func (k Keys) Get(key string) (string, bool) {
	for rest := string(k); rest != ""; {
		var p string
		p, rest, _ = strings.Cut(rest, ",")
		if name, value, ok := strings.Cut(p, "="); ok && name == key {
			return value, true
		}
	}
	return "", false
}

// Partition is one partition of a dataset, or one (keys) slot of a source.
type Partition struct {
	Dataset Dataset
	Keys    Keys
}

func (p Partition) String() string {
	if p.Keys == "" {
		return p.Dataset.String()
	}
	return p.Dataset.String() + "[" + string(p.Keys) + "]"
}

// Compare orders by dataset, then by keys as text.
func (p Partition) Compare(o Partition) int {
	return cmp.Or(p.Dataset.Compare(o.Dataset), cmp.Compare(p.Keys, o.Keys))
}

// ParsePartition is the inverse of Partition.String.
func ParsePartition(s string) (Partition, error) {
	name, keys, sliced := strings.Cut(s, "[")
	d, err := ParseDataset(name)
	if err != nil {
		return Partition{}, err
	}
	if !sliced {
		return Partition{Dataset: d}, nil
	}
	keys, ok := strings.CutSuffix(keys, "]")
	if !ok {
		return Partition{}, fmt.Errorf("%q lacks its closing bracket; a partition is written DATASET[key=value,key=value]", s)
	}
	k, err := ParseKeys(keys)
	return Partition{d, k}, err
}

// ParseKeys reads "symbol=ESU5,dt=2025-08-05", as it stands between the
// brackets of a partition.
func ParseKeys(s string) (Keys, error) {
	var kv []KeyValue
	for _, p := range strings.Split(s, ",") {
		key, value, ok := strings.Cut(strings.TrimSpace(p), "=")
		if !ok || key == "" {
			return "", fmt.Errorf("%q is not key=value", p)
		}
		if err := CheckValue(value); err != nil {
			return "", fmt.Errorf("key %s: %w", key, err)
		}
		kv = append(kv, KeyValue{key, value})
	}
	return MakeKeys(kv...), nil
}

// MaxValue is the longest key value in bytes, so that key=value stays a legal
// folder name everywhere.
const MaxValue = 200

// CheckValue says why v cannot become a folder name or part of an address;
// nil if it can. A key's own pattern comes on top of it.
func CheckValue(v string) error {
	switch {
	case v == "":
		return fmt.Errorf("a key value cannot be empty")
	case len(v) > MaxValue:
		return fmt.Errorf("value %.20q… has %d bytes, more than the %d a folder name may have", v, len(v), MaxValue)
	case v[0] == '.':
		return fmt.Errorf("value %q starts with a dot and would hide or leave its folder", v)
	}
	for _, r := range v {
		if r < ' ' || r == 0x7f || r == '\uFFFD' || strings.ContainsRune(`/\,=[]*?"'`, r) {
			return fmt.Errorf("value %q holds %q, which cannot stand in a folder name", v, r)
		}
	}
	return nil
}

// Stage names one stage instance: `bar5s`, or `approach["or_low"]` where the
// stage has for_each.
type Stage struct {
	Name     string
	Instance string // the for_each key; empty without for_each
}

func (s Stage) String() string {
	if s.Instance == "" {
		return s.Name
	}
	return fmt.Sprintf("%s[%q]", s.Name, s.Instance)
}

// Compare orders by name, then instance.
func (s Stage) Compare(o Stage) int {
	return cmp.Or(cmp.Compare(s.Name, o.Name), cmp.Compare(s.Instance, o.Instance))
}

// UnitName is how a unit is selected: bar5s[symbol=ESU5,dt=2025-08-05], or its stage
// alone where the unit has no keys.
func UnitName(stage string, keys Keys) string {
	if keys == "" {
		return stage
	}
	return stage + "[" + string(keys) + "]"
}
