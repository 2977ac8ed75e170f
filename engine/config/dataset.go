package config

import (
	"fmt"

	"dag/engine/addr"
)

// KeyNames are the names of the dataset's own keys, in declared order.
func (d *Dataset) KeyNames() []string { return keyNames(d.Keys) }

// DateKey is the dataset's date key, nil if it has none.
func (d *Dataset) DateKey() *Key {
	for _, k := range d.Keys {
		if k.Date {
			return k
		}
	}
	return nil
}

// Key is the dataset's own key of a name, nil if it has none.
func (d *Dataset) Key(name string) *Key { return findKey(d.Keys, name) }

// Has tells whether the dataset has a key, of its own or derived.
func (d *Dataset) Has(name string) bool {
	return findKey(d.Keys, name) != nil || findKey(d.Derived, name) != nil
}

// Values adds the derived keys to the values of the dataset's own; a derived
// key that has no value there is left out. It does not change own.
func (d *Dataset) Values(own map[string]string) map[string]string {
	all := make(map[string]string, len(own)+len(d.Derived))
	for k, v := range own {
		all[k] = v
	}
	for _, k := range d.Derived {
		if from, ok := all[k.DeriveFrom]; ok {
			if v, ok := k.Derive(from); ok {
				all[k.Name] = v
			}
		}
	}
	return all
}

// Partition is the address of the partition with these values of its own keys.
func (d *Dataset) Partition(keys map[string]string) (addr.Partition, error) {
	kv := make([]addr.KeyValue, len(d.Keys))
	for i, k := range d.Keys {
		v, err := d.keyValue(k, keys)
		if err != nil {
			return addr.Partition{}, err
		}
		kv[i] = addr.KeyValue{Key: k.Name, Value: v}
	}
	return addr.Partition{Dataset: d.Addr, Keys: addr.MakeKeys(kv...)}, nil
}

// Folder is the path from the lake root to a partition's folder, with slashes.
// For a source it is the folder that holds the files. A value that its key
// does not allow is an error, so that no path leaves the lake.
func (d *Dataset) Folder(keys map[string]string) (string, error) {
	path := ""
	for i, s := range d.Path {
		if i > 0 {
			path += "/"
		}
		if s.Key == "" {
			path += s.Prefix
			continue
		}
		v, err := d.keyValue(d.Key(s.Key), keys)
		if err != nil {
			return "", err
		}
		path += s.Name(v)
	}
	return path, nil
}

func (d *Dataset) keyValue(k *Key, keys map[string]string) (string, error) {
	v, ok := keys[k.Name]
	if !ok {
		return "", fmt.Errorf("%s: no value for key %s", d.Addr, k.Name)
	}
	if err := k.Check(v); err != nil {
		return "", fmt.Errorf("%s: %w", d.Addr, err)
	}
	return v, nil
}

// Name is the folder's name for a value of the segment's key.
func (s Segment) Name(value string) string {
	if s.Key == "" {
		return s.Prefix
	}
	return s.Prefix + value + s.Suffix
}

// Match is the inverse of Name: the value that a folder's name holds. It does
// not look at the key's pattern.
func (s Segment) Match(name string) (value string, ok bool) {
	if s.Key == "" {
		return "", name == s.Prefix
	}
	n := len(name) - len(s.Prefix) - len(s.Suffix)
	if n <= 0 || name[:len(s.Prefix)] != s.Prefix || name[len(name)-len(s.Suffix):] != s.Suffix {
		return "", false
	}
	return name[len(s.Prefix) : len(s.Prefix)+n], true
}

func (s Segment) String() string {
	if s.Key == "" {
		return s.Prefix
	}
	return s.Prefix + "${key." + s.Key + "}" + s.Suffix
}

func keyNames(keys []*Key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.Name
	}
	return names
}

func findKey(keys []*Key, name string) *Key {
	for _, k := range keys {
		if k.Name == name {
			return k
		}
	}
	return nil
}
