package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/stages/retrieval"
)

// openedIndex is an index as it lies in the lake.
type openedIndex struct {
	*retrieval.Index
	address addr.Partition
	// notIndexed is how many partitions of set-up vectors it was built without, or
	// from other data than theirs.
	notIndexed int
	close      func()
}

// openIndex opens the index of a root, or of the only one. Close it when it is
// no longer read.
func (m *marketLake) openIndex(ctx context.Context, root, semantics string) (*openedIndex, error) {
	x := &openedIndex{}
	var err error
	if x.address, err = m.indexOf(ctx, root); err != nil {
		return nil, err
	}
	if x.notIndexed, err = m.notIndexed(ctx, x.address); err != nil {
		return nil, err
	}
	part, err := m.lake.OpenPartition(x.address)
	if err != nil {
		return nil, m.badIndex(err)
	}
	x.close = func() { _ = part.Close() } // read only: nothing can be lost
	x.Index, err = retrieval.Open(indexSource{ctx, part})
	switch {
	case errors.Is(err, retrieval.ErrEmpty) && x.notIndexed > 0:
		err = mistake("empty_index", fmt.Sprintf("%s: %s", x.address, err), m.catchUp(x.notIndexed))
	case errors.Is(err, retrieval.ErrEmpty):
		err = mistake("empty_index", fmt.Sprintf("%s: %s", x.address, err), "it fills with days whose episodes have ended: "+m.app.name+" status setup_vectors")
	case err != nil:
		err = m.badIndex(fmt.Errorf("%s: %w", x.address, err))
	case semantics != "" && semantics != x.Semantics:
		err = mistake("other_semantics", fmt.Sprintf("%s was built with %s semantics, not %s", x.address, x.Semantics, semantics), fmt.Sprintf("`%s apply --var semantics=%s --lake DIR` builds a lake of these", m.app.name, semantics))
	}
	if err != nil {
		return nil, errors.Join(err, part.Close())
	}
	return x, nil
}

// indexOf chooses the index of a root, or the only one there is.
func (m *marketLake) indexOf(ctx context.Context, root string) (addr.Partition, error) {
	table, err := m.lake.Table(ctx, setupIndex, nil)
	if err != nil {
		return addr.Partition{}, err
	}
	var roots []string
	for _, s := range table.Series {
		if v, ok := s.Keys.Get("root"); ok && len(s.Parts) > 0 {
			roots = append(roots, v)
		}
	}
	build := fmt.Sprintf("`%s apply +setup_index` builds what is due", m.app.name)
	switch {
	case len(roots) == 0:
		err = mistake("no_index", fmt.Sprintf("the lake %s holds no %s", m.lakeRoot(), setupIndex), build)
	case root == "" && len(roots) > 1:
		err = mistake("many_indexes", "the lake has an index for each of "+strings.Join(roots, ", "), "choose one, as in --root "+roots[0])
	case root == "":
		root = roots[0]
	case !slices.Contains(roots, root):
		err = mistake("no_index", fmt.Sprintf("the lake has no index of %s; it has %s", root, strings.Join(roots, ", ")), build)
	}
	if err != nil {
		return addr.Partition{}, err
	}
	return m.index.Partition(map[string]string{"root": root})
}

// badIndex is the error of an index that is not whole.
func (m *marketLake) badIndex(err error) error {
	return mistake("bad_index", err.Error(), fmt.Sprintf("`%s apply setup_index --force` builds it anew", m.app.name))
}

// damaged makes a user's error of what reading the vectors of an index found.
func (m *marketLake) damaged(x *openedIndex, err error) error {
	if errors.Is(err, retrieval.ErrDamaged) {
		return m.badIndex(fmt.Errorf("%s: %w", x.address, err))
	}
	return err
}

// notIndexed counts the partitions of set-up vectors of a root whose data is not
// what its index was built from. An index without a manifest of ours does not say.
func (m *marketLake) notIndexed(ctx context.Context, index addr.Partition) (int, error) {
	record, err := m.lake.Manifest(index)
	if err != nil {
		return 0, nil // OpenPartition says what is wrong with it
	}
	built := map[string]string{}
	for _, in := range record.Inputs {
		built[in.Partition] = in.Digest
	}
	table, err := m.lake.Table(ctx, setupVectors, nil)
	if err != nil {
		return 0, err
	}
	root, _ := index.Keys.Get("root")
	n := 0
	for _, s := range table.Series {
		keys := map[string]string{}
		for _, kv := range s.Keys.Pairs() {
			keys[kv.Key] = kv.Value
		}
		if m.vectors.Values(keys)["root"] != root {
			continue
		}
		for _, p := range s.Parts {
			keys["dt"] = p.Day.String()
			part, err := m.vectors.Partition(keys)
			if err != nil {
				return 0, err
			}
			if p.State.HasData() && m.isSession(p.Day) && built[part.String()] != p.Digest.String() {
				n++
			}
		}
	}
	return n, nil
}

// isSession tells whether the calendar of set-up vectors has a day: others that
// lie in the lake go into no index.
func (m *marketLake) isSession(day calendar.Day) bool {
	for _, k := range m.vectors.Keys {
		if k.Calendar != nil && !k.Calendar.IsSession(day) {
			return false
		}
	}
	return true
}

// catchUp says how days come into an index.
func (m *marketLake) catchUp(days int) string {
	what := fmt.Sprintf("%d partitions of set-up vectors are", days)
	if days == 1 {
		what = "1 partition of set-up vectors is"
	}
	return fmt.Sprintf("%s not in the index as it is now: `%s apply +setup_index` takes them in", what, m.app.name)
}

// sameSemantics refuses an episode whose vector was made with other semantics
// than the index: they cannot be compared (10 R-11). Vectors that another tool
// wrote do not say how they were made.
func (m *marketLake) sameSemantics(x *openedIndex, s *retrieval.Setup) error {
	if s.EpisodeID == "" {
		return nil
	}
	part, err := m.vectors.Partition(map[string]string{"symbol": s.Symbol, "dt": s.Date})
	if err != nil {
		return err
	}
	record, err := m.lake.Manifest(part)
	if err != nil {
		return nil // not ours
	}
	params, _ := record.Params.(map[string]any)
	if made, ok := params["semantics"].(string); ok && made != x.Semantics {
		return mistake("other_semantics", fmt.Sprintf("%s was made with %s semantics, and %s with %s", part, made, x.address, x.Semantics),
			fmt.Sprintf("`%s apply +setup_index` makes both alike", m.app.name))
	}
	return nil
}
