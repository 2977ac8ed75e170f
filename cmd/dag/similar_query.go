package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"dag/engine/addr"
	"dag/engine/manifest"
	"dag/stages/retrieval"
)

// asked returns the set-up that the flags mean.
func (m *marketLake) asked(ctx context.Context, f *similarFlags) (*retrieval.Setup, error) {
	switch {
	case f.vector != "":
		return readVector(f)
	case f.episode != "":
		return m.episode(ctx, f.episode)
	case f.partition != "":
		return m.inPartition(ctx, f)
	}
	return m.last(ctx, f)
}

// readVector reads a vector that is of no episode. Level and direction are those of
// the flags, empty and 0 where they say nothing.
func readVector(f *similarFlags) (*retrieval.Setup, error) {
	s := &retrieval.Setup{}
	s.Level = strings.ToLower(f.level)
	switch f.direction {
	case "":
	case "from_below", "1", "+1":
		s.Direction = 1
	case "from_above", "-1":
		s.Direction = -1
	default:
		return nil, mistake("usage", fmt.Sprintf("--direction is %q", f.direction), "use from_below or from_above")
	}
	text, err := os.ReadFile(f.vector)
	if err != nil {
		return nil, mistake("bad_vector", err.Error(), "")
	}
	if s.Vector, err = parseVector(string(text)); err != nil {
		return nil, mistake("bad_vector", fmt.Sprintf("%s: %v", f.vector, err), "a vector is a JSON array, or numbers apart by commas or lines")
	}
	return s, nil
}

// placeVector puts a vector where its features say it is, which the flags must not
// contradict: the index is apart by level and side.
func placeVector(x *retrieval.Index, s *retrieval.Setup, f *similarFlags) error {
	level, direction, err := retrieval.Context(x, s.Vector)
	if err != nil {
		return mistake("bad_vector", fmt.Sprintf("%s: %v", f.vector, err), "")
	}
	for _, flag := range []struct {
		name, value string
		differs     bool
	}{{"level", f.level, s.Level != "" && s.Level != level}, {"direction", f.direction, s.Direction != 0 && s.Direction != direction}} {
		if flag.differs {
			return mistake("bad_query", fmt.Sprintf("%s is a vector of %s %s, by its own features, and --%s says %s", f.vector, level, side(direction), flag.name, flag.value), "leave --"+flag.name+" out, or use the vector that is meant")
		}
	}
	s.Level, s.Direction = level, direction
	return nil
}

// parseVector reads a JSON array, or numbers apart by commas, spaces or lines.
func parseVector(text string) ([]float64, error) {
	var out []float64
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return parseArray(text)
	}
	for i, line := range strings.Split(text, "\n") {
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(", \t\r;", r) }) {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return nil, fmt.Errorf("line %d: %q is not a number", i+1, word)
			}
			out = append(out, v)
		}
	}
	return out, nil
}

// notFinite are the numbers that JSON does not have, and other tools write.
var notFinite = regexp.MustCompile(`[-+]?(NaN|Infinity|Inf)\b`)

// parseArray reads a JSON array, and names the item that is no number.
func parseArray(text string) ([]float64, error) {
	var items []json.RawMessage
	text = notFinite.ReplaceAllStringFunc(text, strconv.Quote)
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, err
	}
	out := make([]float64, len(items))
	for i, item := range items {
		var n json.Number
		if err := json.Unmarshal(item, &n); err != nil || item[0] == '"' || string(item) == "null" {
			return nil, fmt.Errorf("item %d is %s, not a finite number", i, strings.Trim(string(item), `"`))
		}
		v, err := n.Float64()
		if err != nil {
			return nil, fmt.Errorf("item %d is %s, beyond a float64", i, n)
		}
		out[i] = v
	}
	return out, nil
}

// episode finds an episode by its id, {dt}_{symbol}_{level}_{trigger ns}.
func (m *marketLake) episode(ctx context.Context, id string) (*retrieval.Setup, error) {
	unknown := func(hint string) error {
		return mistake("unknown_episode", fmt.Sprintf("there is no episode %q", id), hint)
	}
	parts := strings.SplitN(id, "_", 3)
	if len(parts) < 3 {
		return nil, unknown(idForm)
	}
	part, err := m.vectors.Partition(map[string]string{"dt": parts[0], "symbol": parts[1]})
	if err != nil {
		return nil, mistake("unknown_episode", fmt.Sprintf("there is no episode %q: %v", id, err), idForm)
	}
	trace, err := m.lake.Trace(ctx, part)
	if err != nil {
		return nil, err
	}
	if !trace.State.HasData() {
		return nil, unknown(fmt.Sprintf("the lake holds no %s; `%s ls setup_vectors` lists what it holds", part, m.app.name))
	}
	setups, err := m.setups(ctx, part)
	if err != nil {
		return nil, err
	}
	var ids []string
	for i := range setups {
		if setups[i].EpisodeID == id {
			return &setups[i], nil
		}
		ids = append(ids, setups[i].EpisodeID)
	}
	if near := didYouMean(id, ids); near != "" {
		return nil, unknown(near)
	}
	if len(ids) == 0 {
		return nil, unknown(fmt.Sprintf("%s is empty: %s", part, whyEmpty))
	}
	return nil, unknown(fmt.Sprintf("%s holds %d episodes: %s", part, len(ids), some(ids)))
}

// idForm says what the id of an episode looks like.
const idForm = "an id is {dt}_{symbol}_{level}_{trigger ns}, as in 2025-08-14_ESU5_or_high_1755179160000000000"

// whyEmpty says why a partition of set-up vectors has no rows.
const whyEmpty = "price came to no level, the contract was not the front month, or it rolled on that day"

// some joins the first few of many.
func some(list []string) string {
	const few = 4
	if len(list) > few {
		return strings.Join(list[:few], " ") + " …"
	}
	return strings.Join(list, " ")
}

// setups reads a partition of the set-up vectors, by trigger time.
func (m *marketLake) setups(ctx context.Context, part addr.Partition) ([]retrieval.Setup, error) {
	in, err := m.lake.OpenPartition(part)
	if err != nil {
		return nil, err
	}
	defer in.Close() // read only: nothing can be lost
	setups, err := retrieval.ReadSetups(in.Read(ctx, retrieval.SetupColumns()...))
	slices.SortFunc(setups, func(a, b retrieval.Setup) int {
		return cmp.Or(cmp.Compare(a.Trigger, b.Trigger), cmp.Compare(a.EpisodeID, b.EpisodeID))
	})
	return setups, err
}

// inPartition finds an episode of a partition by the time of its trigger.
func (m *marketLake) inPartition(ctx context.Context, f *similarFlags) (*retrieval.Setup, error) {
	part, err := m.vectorPartition(ctx, f.partition)
	if err != nil {
		return nil, err
	}
	setups, err := m.setups(ctx, part)
	if err != nil {
		return nil, err
	}
	date, _ := part.Keys.Get("dt")
	from, to, err := f.candle(date)
	if err != nil {
		return nil, err
	}
	var found, all []string
	var last *retrieval.Setup
	for i := range setups {
		s := &setups[i]
		all = append(all, s.EpisodeID)
		if f.level != "" && !strings.EqualFold(s.Level, f.level) || f.clock != "" && (s.Trigger <= from || s.Trigger > to) {
			continue
		}
		found, last = append(found, s.EpisodeID), s
	}
	switch {
	case len(all) == 0:
		return nil, mistake("unknown_episode", fmt.Sprintf("%s holds no episode", part), whyEmpty)
	case len(found) == 0:
		return nil, mistake("unknown_episode", fmt.Sprintf("%s holds no such episode", part), fmt.Sprintf("it holds %d: %s", len(all), some(all)))
	case len(found) > 1 && f.clock != "":
		return nil, mistake("many_episodes", fmt.Sprintf("%d episodes of %s trigger then", len(found), part), "add --level: "+some(found))
	}
	return last, nil
}

// vectorPartition resolves the address of a partition of the set-up vectors.
func (m *marketLake) vectorPartition(ctx context.Context, text string) (addr.Partition, error) {
	var part addr.Partition
	name, rest, _ := strings.Cut(text, "[")
	rest, closed := strings.CutSuffix(rest, "]")
	if name != setupVectors.Table && name != setupVectors.String() {
		return part, mistake("unknown_partition", fmt.Sprintf("%s is no partition of %s", text, setupVectors), "as in 'setup_vectors[symbol=ESU5,dt=2025-08-14]'")
	}
	if !closed {
		return part, mistake("unknown_partition", fmt.Sprintf("%s has no keys in [ ]", text), "as in 'setup_vectors[symbol=ESU5,dt=2025-08-14]'")
	}
	keys, err := addr.ParseKeys(rest)
	if err != nil {
		return part, mistake("unknown_partition", err.Error(), "as in 'setup_vectors[symbol=ESU5,dt=2025-08-14]'")
	}
	values := map[string]string{}
	for _, kv := range keys.Pairs() {
		values[kv.Key] = kv.Value
	}
	if part, err = m.vectors.Partition(values); err != nil {
		return part, mistake("unknown_partition", fmt.Sprintf("%s: %v", text, err), "as in 'setup_vectors[symbol=ESU5,dt=2025-08-14]'")
	}
	trace, err := m.lake.Trace(ctx, part)
	if err == nil && !trace.State.HasData() {
		err = mistake("unknown_partition", fmt.Sprintf("the lake holds no %s", part), fmt.Sprintf("`%s ls setup_vectors` lists what it holds", m.app.name))
	}
	return part, err
}

// candleLength is how long a trigger candle lasts.
const candleLength = 2 * time.Minute

// candle returns between which starts, the first excluded, a candle holds the
// time of --time.
func (f *similarFlags) candle(date string) (from, to int64, err error) {
	if f.clock == "" {
		return 0, 0, nil
	}
	if ns, err := strconv.ParseInt(f.clock, 10, 64); err == nil {
		return ns - int64(candleLength), ns, nil
	}
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		return 0, 0, err
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.ParseInLocation(time.DateOnly+" "+layout, date+" "+f.clock, ny); err == nil {
			return t.UnixNano() - int64(candleLength), t.UnixNano(), nil
		}
	}
	return 0, 0, mistake("usage", fmt.Sprintf("--time is %q, not a time", f.clock), "use HH:MM or HH:MM:SS in New York, or nanoseconds UTC")
}

// last finds the last episode in the lake.
func (m *marketLake) last(ctx context.Context, f *similarFlags) (*retrieval.Setup, error) {
	table, err := m.lake.Table(ctx, setupVectors, nil)
	if err != nil {
		return nil, err
	}
	type candidate struct {
		keys map[string]string
		manifest.Trace
	}
	var all []candidate
	for _, s := range table.Series {
		keys := map[string]string{}
		for _, kv := range s.Keys.Pairs() {
			keys[kv.Key] = kv.Value
		}
		values := m.vectors.Values(keys)
		if f.root != "" && values["root"] != f.root || f.symbol != "" && values["symbol"] != f.symbol {
			continue
		}
		for _, p := range s.Parts {
			if p.Rows > 0 && p.State.HasData() {
				all = append(all, candidate{keys, p})
			}
		}
	}
	if len(all) == 0 {
		return nil, mistake("unknown_episode", fmt.Sprintf("the lake %s holds no episode that the flags admit", m.lakeRoot()), fmt.Sprintf("`%s apply +setup_vectors` makes what is due", m.app.name))
	}
	day := slices.MaxFunc(all, func(a, b candidate) int { return cmp.Compare(a.Day, b.Day) }).Day
	var last *retrieval.Setup
	for _, c := range all {
		if c.Day != day {
			continue
		}
		c.keys["dt"] = day.String()
		part, err := m.vectors.Partition(c.keys)
		if err != nil {
			return nil, err
		}
		setups, err := m.setups(ctx, part)
		if err != nil {
			return nil, err
		}
		if s := &setups[len(setups)-1]; last == nil || s.Trigger > last.Trigger {
			last = s
		}
	}
	return last, nil
}
