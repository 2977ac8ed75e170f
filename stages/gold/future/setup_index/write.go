package setupindex

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"dag/stages/internal/mbp10"
	format "dag/stages/internal/setupindex"
)

// order sorts the episodes and numbers the chains of those that overlap.
func (g *gathering) order(overlapMinutes int64) error {
	slices.SortFunc(g.episodes, func(a, b format.Episode) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Date, b.Date),
			cmp.Compare(a.Trigger, b.Trigger), cmp.Compare(a.EpisodeID, b.EpisodeID))
	})
	byTime := make([]*format.Episode, len(g.episodes))
	seen := make(map[string]bool, len(g.episodes))
	for i := range g.episodes {
		e := &g.episodes[i]
		if seen[e.EpisodeID] {
			return fmt.Errorf("episode %s is there twice, the second time in the vectors of %s on %s", e.EpisodeID, e.Symbol, e.Date)
		}
		seen[e.EpisodeID], byTime[i] = true, e
	}
	slices.SortStableFunc(byTime, func(a, b *format.Episode) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Symbol, b.Symbol), cmp.Compare(a.Date, b.Date), cmp.Compare(a.Trigger, b.Trigger))
	})
	overlap := overlapMinutes * int64(time.Minute)
	for i, e := range byTime[min(1, len(byTime)):] {
		before := byTime[i]
		e.Chain = before.Chain
		if e.Level != before.Level || e.Symbol != before.Symbol || e.Date != before.Date || e.Trigger-before.Trigger >= overlap {
			e.Chain++
		}
	}
	return nil
}

// write writes everything in the order of the episodes, which are those of one
// date after those of another within each group.
func (g *gathering) write() error {
	file, err := g.task.OutputFile(outPort, format.VectorFile)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(file, 1<<20)
	dates, err := g.writeVectors(out)
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	rows, err := g.task.Output(outPort)
	if err != nil {
		return err
	}
	if err := format.Write(rows, format.EpisodeColumns(), g.episodes); err != nil {
		return err
	}
	return g.writeTables(dates)
}

// writeVectors copies the vectors from the spill, renumbers the episodes and
// sums the dates up.
func (g *gathering) writeVectors(out io.Writer) ([]format.Date, error) {
	var dates []format.Date
	var moments *format.Moments
	d := len(g.family.Features)
	buffer, vector := make([]byte, 8*d), make([]float64, d)
	for i := range g.episodes {
		e := &g.episodes[i]
		if _, err := g.spill.ReadAt(buffer, e.ID*int64(8*d)); err != nil {
			return nil, err
		}
		if _, err := out.Write(buffer); err != nil {
			return nil, err
		}
		e.ID = int64(i)
		if n := len(dates); n == 0 || dates[n-1].Level != e.Level || dates[n-1].Direction != e.Direction || dates[n-1].Date != e.Date {
			moments = format.NewMoments(d)
			dates = append(dates, format.Date{Level: e.Level, Direction: e.Direction, Date: e.Date, Mean: moments.Mean, M2: moments.M2, Classes: make([]int64, len(g.family.Classes))})
		}
		date := &dates[len(dates)-1]
		date.Count++
		date.Classes[slices.Index(g.family.Classes, e.Outcome)]++
		format.GetVector(vector, buffer)
		moments.Add(vector)
	}
	return dates, nil
}

func (g *gathering) writeTables(dates []format.Date) error {
	p := g.task.Params()
	parameters := []format.Parameters{{
		Format: format.Format, Family: g.family.Name, Semantics: p.String("semantics"),
		Dimension: int64(len(g.family.Features)), Vectors: int64(len(g.episodes)),
		OverlapMinutes: p.Int("overlap_minutes"), Classes: g.family.Classes,
	}}
	features := make([]format.Feature, len(g.family.Features))
	for i, name := range g.family.Features {
		features[i] = format.Feature{Position: int64(i), Name: name}
	}
	if err := writeTable(g, format.ParametersTable, format.ParameterColumns(), parameters); err != nil {
		return err
	}
	if err := writeTable(g, format.FeaturesTable, format.FeatureColumns(), features); err != nil {
		return err
	}
	if err := writeTable(g, format.DatesTable, format.DateColumns(), dates); err != nil {
		return err
	}
	return writeTable(g, format.NormalisationTable, format.NormalisationColumns(), format.Fit(dates, p.String("semantics") == mbp10.Reference))
}

func writeTable[T any](g *gathering, name string, columns []format.Column[T], rows []T) error {
	w, err := g.task.OutputTable(outPort, name)
	if err != nil {
		return err
	}
	return format.Write(w, columns, rows)
}
