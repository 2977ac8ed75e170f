package option_test

import (
	"slices"
	"testing"

	"dag/engine/stage"
	"dag/stages/bronze/future_option/nbbo"
	"dag/stages/bronze/future_option/statistics"
	"dag/stages/bronze/future_option/trades"
	"dag/stages/internal/dbn"
	"dag/stages/internal/option/optiontest"
)

// TestStrikesOfDefinitions: strikes are those of the definitions where symbols cut
// their last digits off, as those of five-year notes, or agree with none. An option
// that is not defined has no strike then.
func TestStrikesOfDefinitions(t *testing.T) {
	for _, c := range []struct {
		list      optiontest.Listing
		want      []string
		differing int64
	}{
		{optiontest.Listing{{Symbol: "OZFU5 C1085", Strike: 108.5}, {Symbol: "OZFU5 P1087", Strike: 108.75}, {Symbol: "OZFU5 C1090", Strike: 109}, {Symbol: "OZFU5 C1092"}},
			[]string{"OZFU5 C1085 108.5 C", "OZFU5 P1087 108.75 P", "OZFU5 C1090 109 C"}, 1},
		{optiontest.Listing{{Symbol: "OZFU5 C1085", Strike: 108.5}, {Symbol: "OZFU5 P1087", Strike: 10.875}, {Symbol: "OZFU5 C1090"}},
			[]string{"OZFU5 C1085 108.5 C", "OZFU5 P1087 10.875 P"}, 2},
	} {
		var traded, quoted, published [][]byte
		for i := range c.list {
			id, ts := uint32(i+1), uint64(i)
			traded = append(traded, optiontest.Trade(id, ts, 1, nil))
			quoted = append(quoted, optiontest.Quote(id, ts, 1, nil))
			published = append(published, optiontest.Statistic(t, id, ts, 1, nil))
		}
		file := func(schema dbn.Schema, records [][]byte) [][]byte {
			return [][]byte{optiontest.File(t, c.list.Metadata(schema), records...)}
		}
		for port, of := range map[string]struct {
			transform stage.Transform
			files     map[string][][]byte
		}{
			"trades":     {trades.New(), map[string][][]byte{"trades": file(dbn.SchemaTrades, traded), "quotes": file(dbn.SchemaMBP1, quoted)}},
			"nbbo":       {nbbo.New(), map[string][][]byte{"quotes": file(dbn.SchemaMBP1, quoted)}},
			"statistics": {statistics.New(), map[string][][]byte{"statistics": file(dbn.SchemaStatistics, published)}},
		} {
			of.files["definitions"] = [][]byte{c.list.Definitions(t)}
			task := optiontest.Task(t, of.transform, nil, of.files)
			if err := of.transform.Run(t.Context(), task); err != nil {
				t.Errorf("%s: %v", port, err)
				continue
			}
			if got := columns(task, port, "option_symbol", "strike", "right"); !slices.Equal(got, c.want) {
				t.Errorf("%s: got %q, want %q", port, got, c.want)
			}
			if m := task.Metrics(); m["dropped_no_definition"] != 1 || m["definitions_strike_not_of_symbol"] != c.differing {
				t.Errorf("%s: metrics %v", port, m)
			}
		}
	}
}
