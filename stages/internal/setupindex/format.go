// Package setupindex is the format of a set-up index, shared by the stage that
// writes it and the queries that read it (spec 00, spec 09 §3).
//
// One partition holds the episodes of a root with known outcome, whose rows are
// their metadata, in this order: by level and direction, and within these by
// trigger time and episode id (G-8). Beside the rows lie:
//
//	vectors.f64    the raw vectors, little-endian float64, one behind the other in the order of the rows
//	parameters     one row: format, family, semantics, dimension, counts
//	features       the ordered list of what the values of a vector are (G-2)
//	dates          per level, direction and date: count, means and centred second moments, class counts
//	normalisation  mean and standard deviation over all dates of the index, with those dates (G-1)
//
// Nothing is normalised in the file: a query as of a date merges the moments of
// the dates before it, and so sees no later one.
package setupindex

import (
	"fmt"
	"strings"
)

// Format is the version of the layout.
const Format = 1

// What a partition holds beside its rows.
const (
	VectorFile         = "vectors.f64"
	ParametersTable    = "parameters"
	FeaturesTable      = "features"
	DatesTable         = "dates"
	NormalisationTable = "normalisation"
)

// Episode is the metadata of one vector.
type Episode struct {
	ID        int64 // position of the vector, from 0
	EpisodeID string
	Date      string // of the session, as 2025-06-05
	Symbol    string
	Level     string
	Price     float64 // of the level, points
	Trigger   int64   // ns UTC: start of the trigger candle
	Direction int64   // +1 from below the level, -1 from above
	Outcome   string
	Score     float64 // ticks
	Velocity  float64 // at the trigger, as Obi0 and Wall; NaN where undefined
	Obi0      float64
	Wall      float64
	Chain     int64 // the same for episodes that overlap directly or through others (G-14)
}

// EpisodeColumns are the rows of the partition.
func EpisodeColumns() []Column[Episode] {
	return []Column[Episode]{
		Long("vector_id", func(e *Episode) *int64 { return &e.ID }),
		Text("episode_id", func(e *Episode) *string { return &e.EpisodeID }),
		Text("dt", func(e *Episode) *string { return &e.Date }),
		Text("symbol", func(e *Episode) *string { return &e.Symbol }),
		Text("level_type", func(e *Episode) *string { return &e.Level }),
		Double("level_price", func(e *Episode) *float64 { return &e.Price }),
		Long("trigger_candle_ts", func(e *Episode) *int64 { return &e.Trigger }),
		Long("approach_direction", func(e *Episode) *int64 { return &e.Direction }),
		Text("outcome", func(e *Episode) *string { return &e.Outcome }),
		Double("outcome_score", func(e *Episode) *float64 { return &e.Score }),
		Maybe("velocity_at_trigger", func(e *Episode) *float64 { return &e.Velocity }),
		Maybe("obi0_at_trigger", func(e *Episode) *float64 { return &e.Obi0 }),
		Maybe("wall_imbal_at_trigger", func(e *Episode) *float64 { return &e.Wall }),
		Long("chain", func(e *Episode) *int64 { return &e.Chain }),
	}
}

// Parameters describe an index.
type Parameters struct {
	Format         int64
	Family         string // what kind of vectors; see FamilyNamed
	Semantics      string // under which the vectors were made
	Dimension      int64
	Vectors        int64
	OverlapMinutes int64    // triggers nearer than this belong to one chain
	Classes        []string // of outcomes, in the order of class counts
}

// ParameterColumns are the table of one row.
func ParameterColumns() []Column[Parameters] {
	return []Column[Parameters]{
		Long("format", func(p *Parameters) *int64 { return &p.Format }),
		Text("family", func(p *Parameters) *string { return &p.Family }),
		Text("semantics", func(p *Parameters) *string { return &p.Semantics }),
		Long("dimension", func(p *Parameters) *int64 { return &p.Dimension }),
		Long("vectors", func(p *Parameters) *int64 { return &p.Vectors }),
		Long("overlap_minutes", func(p *Parameters) *int64 { return &p.OverlapMinutes }),
		Texts("classes", func(p *Parameters) *[]string { return &p.Classes }),
	}
}

// Feature is one place of a vector.
type Feature struct {
	Position int64 // from 0
	Name     string
}

// FeatureColumns are the ordered list of features.
func FeatureColumns() []Column[Feature] {
	return []Column[Feature]{
		Long("position", func(f *Feature) *int64 { return &f.Position }),
		Text("name", func(f *Feature) *string { return &f.Name }),
	}
}

// Date sums the episodes of one level, direction and date up.
type Date struct {
	Level     string
	Direction int64
	Date      string
	Count     int64
	Mean, M2  []float64 // of every feature: mean, and sum of squared differences from it
	Classes   []int64   // episodes of each outcome, in the order of Parameters.Classes
}

// DateColumns are the sums by date.
func DateColumns() []Column[Date] {
	return []Column[Date]{
		Text("level_type", func(d *Date) *string { return &d.Level }),
		Long("approach_direction", func(d *Date) *int64 { return &d.Direction }),
		Text("dt", func(d *Date) *string { return &d.Date }),
		Long("count", func(d *Date) *int64 { return &d.Count }),
		Doubles("mean", func(d *Date) *[]float64 { return &d.Mean }),
		Doubles("m2", func(d *Date) *[]float64 { return &d.M2 }),
		Longs("class_counts", func(d *Date) *[]int64 { return &d.Classes }),
	}
}

// Normalisation is the fit over all dates of the index. Direction is 0 where
// both directions of a level share one, as in reference semantics.
type Normalisation struct {
	Level       string
	Direction   int64
	First, Last string // dates of the fit
	Count       int64
	Mean, Std   []float64
}

// NormalisationColumns are the fits by level and direction.
func NormalisationColumns() []Column[Normalisation] {
	return []Column[Normalisation]{
		Text("level_type", func(n *Normalisation) *string { return &n.Level }),
		Long("approach_direction", func(n *Normalisation) *int64 { return &n.Direction }),
		Text("first_dt", func(n *Normalisation) *string { return &n.First }),
		Text("last_dt", func(n *Normalisation) *string { return &n.Last }),
		Long("count", func(n *Normalisation) *int64 { return &n.Count }),
		Doubles("mean", func(n *Normalisation) *[]float64 { return &n.Mean }),
		Doubles("std", func(n *Normalisation) *[]float64 { return &n.Std }),
	}
}

// Family is a kind of vector: what its values are, and how its outcomes are
// called.
type Family struct {
	Name     string
	Features []string
	Classes  []string
}

// FamilyNames lists the families that an index can hold.
func FamilyNames() []string { return []string{Approach2m} }

// FamilyNamed returns a family.
func FamilyNamed(name string) (Family, error) {
	if name != Approach2m {
		return Family{}, fmt.Errorf("there is no family of vectors %q; there are %s", name, strings.Join(FamilyNames(), ", "))
	}
	return approach2m(), nil
}
