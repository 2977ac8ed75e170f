package trades

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"dag/engine/stage"
	"dag/stages/internal/dbn"
	"dag/stages/internal/option/optiontest"
)

// sorted is what comes of files with some memory to sort in; 0 is the default.
func sorted(t testing.TB, of files, memory int64) string {
	t.Helper()
	var params stage.Params
	if memory != 0 {
		params = stage.Params{"sort_memory": memory}
	}
	task := optiontest.Task(t, New(), params, of)
	if err := New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	return optiontest.Dump(task, "trades")
}

// market is a day of so many options, which are traded and quoted at random,
// several at the same time and sequence. Each option comes up for the first time
// somewhere in the day, most of them while what came before is being sorted.
func market(t testing.TB, r *rand.Rand, options, records int) files {
	t.Helper()
	list := make(optiontest.Listing, options)
	for i := range list {
		list[i] = optiontest.Listed{Symbol: fmt.Sprintf("ESU5 C%d", i+1), Strike: float64(i + 1)}
	}
	r.Shuffle(options, func(i, j int) { list[i], list[j] = list[j], list[i] })
	var trades, quotes [][]byte
	for i := range records {
		of := func() uint32 { return 1 + uint32(r.IntN(1+i*options/records)) }
		ts, seq := uint64(i/16), r.Uint32N(3)
		trades = append(trades, optiontest.Trade(of(), ts, seq, func(r *dbn.Trade) { r.Size = uint32(i + 1) }))
		quotes = append(quotes, optiontest.Quote(of(), ts, seq, func(r *dbn.MBP1) { r.Level.BidPx = int64(i) * 1e9 }))
	}
	return files{
		"trades":      {optiontest.File(t, list.Metadata(dbn.SchemaTrades), trades...)},
		"quotes":      {optiontest.File(t, list.Metadata(dbn.SchemaMBP1), quotes...)},
		"definitions": {list.Definitions(t)},
	}
}

// TestMemoryDoesNotMatter sorts in several memories, the small ones of which
// spill.
func TestMemoryDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		of := market(t, r, rapid.IntRange(1, 900).Draw(rt, "options"), rapid.IntRange(1, 900).Draw(rt, "records"))
		memory := rapid.Int64Range(64<<10, 256<<10).Draw(rt, "memory")
		if sorted(t, of, memory) != sorted(t, of, 0) {
			rt.Fatalf("the rows depend on the memory: %d bytes give others", memory)
		}
	})
}

// TestSortingBesideNewOptions is a day whose options are still being numbered
// while its first records are sorted: the race detector watches.
func TestSortingBesideNewOptions(t *testing.T) {
	of := market(t, rand.New(rand.NewPCG(1, 0)), 6000, 6000)
	if sorted(t, of, 64<<10) != sorted(t, of, 0) {
		t.Error("the rows depend on the memory")
	}
}
