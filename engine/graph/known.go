package graph

import "dag/engine/config"

// Known are the values of keys that are seen in a lake: what a glob over a key
// means for a dataset that has only a key derived from it. One is used by one
// goroutine at a time.
type Known struct {
	values  func(key string) []string
	implied map[[3]string]implied
}

// NewKnown makes one of a function that lists the values of a key.
func NewKnown(values func(key string) []string) *Known {
	return &Known{values: values, implied: map[[3]string]implied{}}
}

// implied are the values of a derived key: of those that match a pattern, and
// of all that are seen.
type implied struct{ matching, all map[string]bool }

func (k *Known) imply(derived *config.Key, pattern string) implied {
	id := [3]string{derived.Name, derived.DeriveFrom, pattern}
	if got, ok := k.implied[id]; ok {
		return got
	}
	out := implied{map[string]bool{}, map[string]bool{}}
	for _, v := range k.values(derived.DeriveFrom) {
		if d, ok := derived.Derive(v); ok {
			out.all[d] = true
			if glob(pattern, v) {
				out.matching[d] = true
			}
		}
	}
	k.implied[id] = out
	return out
}

// goes tells whether a value of a derived key goes with a glob over the key it
// comes from: if a value that matches gives it, or if that cannot be known,
// because no value that is seen matches or gives it.
func (k *Known) goes(derived *config.Key, pattern, value string) bool {
	if k == nil {
		return true
	}
	is := k.imply(derived, pattern)
	return is.matching[value] || len(is.matching) == 0 || !is.all[value]
}
