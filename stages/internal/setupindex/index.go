package setupindex

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"dag/engine/stage"
)

// Source is an opened partition of an index.
type Source interface {
	Rows() stage.Batches
	Table(name string) stage.Batches
	// File gives a binary file and its size. It stays open as long as the
	// index is used.
	File(name string) (io.ReaderAt, int64, error)
}

// Index is a set-up index that has been found whole. It may be used by several
// goroutines.
type Index struct {
	Parameters
	Features []string
	Episodes []Episode
	Groups   []Group // in the order of the vectors
	vectors  io.ReaderAt
}

// Group is the episodes of one level and direction: Episodes[From:To].
type Group struct {
	Level     string
	Direction int64
	From, To  int
	Dates     []Date // ascending
}

// Open reads everything but the vectors, and refuses an index that is not whole
// (spec 10 §5) or holds other features than its family has in this version.
func Open(s Source) (*Index, error) {
	x := &Index{}
	parameters, err := Read(ParameterColumns(), s.Table(ParametersTable))
	if err != nil {
		return nil, fmt.Errorf("table %s of the index: %w", ParametersTable, err)
	}
	if len(parameters) == 0 {
		return nil, ErrEmpty
	}
	x.Parameters = parameters[0]
	if len(parameters) > 1 || x.Format != Format {
		return nil, fmt.Errorf("the index has format %d in %d rows; this version reads format %d: apply again to build it anew", x.Format, len(parameters), Format)
	}
	if err := x.readFeatures(s); err != nil {
		return nil, err
	}
	if x.Vectors == 0 {
		return nil, ErrEmpty
	}
	if x.Episodes, err = Read(EpisodeColumns(), s.Rows()); err != nil {
		return nil, fmt.Errorf("the metadata of the index: %w", err)
	}
	if err := x.checkEpisodes(); err != nil {
		return nil, err
	}
	if err := x.readDates(s); err != nil {
		return nil, err
	}
	return x, x.openVectors(s)
}

// ErrEmpty says that an index holds no episode.
var ErrEmpty = fmt.Errorf("the index is empty: no episode with a known outcome has been indexed")

func (x *Index) readFeatures(s Source) error {
	rows, err := Read(FeatureColumns(), s.Table(FeaturesTable))
	if err != nil {
		return fmt.Errorf("table %s of the index: %w", FeaturesTable, err)
	}
	for i, f := range rows {
		if f.Position != int64(i) {
			return fmt.Errorf("table %s of the index: row %d is position %d", FeaturesTable, i, f.Position)
		}
		x.Features = append(x.Features, f.Name)
	}
	if int64(len(rows)) != x.Dimension {
		return fmt.Errorf("the index has dimension %d and a list of %d features", x.Dimension, len(rows))
	}
	family, err := FamilyNamed(x.Family)
	if err != nil {
		return fmt.Errorf("the index: %w", err)
	}
	if len(rows) != len(family.Features) {
		return fmt.Errorf("the index holds %d features, and %s has %d: it is of another version; apply again to build it anew", len(rows), x.Family, len(family.Features))
	}
	for i, name := range family.Features {
		if x.Features[i] != name {
			return fmt.Errorf("feature %d of the index is %s, and that of %s is %s: it is of another version; apply again to build it anew", i, x.Features[i], x.Family, name)
		}
	}
	return nil
}

// checkEpisodes holds the rows to their order and finds the groups.
func (x *Index) checkEpisodes() error {
	if int64(len(x.Episodes)) != x.Vectors {
		return fmt.Errorf("the index has %d vectors and metadata of %d", x.Vectors, len(x.Episodes))
	}
	seen := make(map[string]bool, len(x.Episodes))
	for i := range x.Episodes {
		e := &x.Episodes[i]
		if e.ID != int64(i) {
			return fmt.Errorf("row %d of the index has vector_id %d", i, e.ID)
		}
		if seen[e.EpisodeID] {
			return fmt.Errorf("the index holds episode %s twice", e.EpisodeID)
		}
		seen[e.EpisodeID] = true
		if !slices.Contains(x.Classes, e.Outcome) {
			return fmt.Errorf("episode %s of the index has outcome %q, which is none of %q", e.EpisodeID, e.Outcome, x.Classes)
		}
		if math.IsNaN(e.Score) || math.IsInf(e.Score, 0) {
			return fmt.Errorf("episode %s of the index has outcome_score %v", e.EpisodeID, e.Score)
		}
		n := len(x.Groups)
		if n == 0 || x.Groups[n-1].Level != e.Level || x.Groups[n-1].Direction != e.Direction {
			if x.Group(e.Level, e.Direction) != nil {
				return fmt.Errorf("the episodes of %s, direction %+d, do not lie together in the index", e.Level, e.Direction)
			}
			x.Groups = append(x.Groups, Group{Level: e.Level, Direction: e.Direction, From: i})
		} else if last := &x.Episodes[i-1]; e.Date < last.Date || e.Trigger < last.Trigger {
			return fmt.Errorf("episode %s lies behind a later one in the index", e.EpisodeID)
		}
		x.Groups[len(x.Groups)-1].To = i + 1
	}
	return nil
}

// readDates holds the sums of every group to its episodes.
func (x *Index) readDates(s Source) error {
	dates, err := Read(DateColumns(), s.Table(DatesTable))
	if err != nil {
		return fmt.Errorf("table %s of the index: %w", DatesTable, err)
	}
	next := 0 // date
	for i := range x.Groups {
		g := &x.Groups[i]
		for at := g.From; at < g.To; next++ {
			e := &x.Episodes[at]
			if next == len(dates) {
				return fmt.Errorf("table %s of the index ends before %s of %s, direction %+d", DatesTable, e.Date, e.Level, e.Direction)
			}
			d := &dates[next]
			if d.Level != g.Level || d.Direction != g.Direction || d.Date != e.Date {
				return fmt.Errorf("table %s of the index has %s of %s, direction %+d, where %s of %s, direction %+d, is due", DatesTable, d.Date, d.Level, d.Direction, e.Date, g.Level, g.Direction)
			}
			end := at
			counts := make([]int64, len(x.Classes))
			for ; end < g.To && x.Episodes[end].Date == d.Date; end++ {
				counts[slices.Index(x.Classes, x.Episodes[end].Outcome)]++
			}
			if d.Count != int64(end-at) || !slices.Equal(d.Classes, counts) || int64(len(d.Mean)) != x.Dimension || int64(len(d.M2)) != x.Dimension {
				return fmt.Errorf("table %s of the index counts %d episodes, of classes %v, on %s of %s, direction %+d; there are %d, of classes %v", DatesTable, d.Count, d.Classes, d.Date, d.Level, d.Direction, end-at, counts)
			}
			g.Dates = append(g.Dates, *d)
			at = end
		}
	}
	if next != len(dates) {
		return fmt.Errorf("table %s of the index has %d rows more than dates", DatesTable, len(dates)-next)
	}
	return nil
}

func (x *Index) openVectors(s Source) error {
	file, size, err := s.File(VectorFile)
	if err != nil {
		return err
	}
	if want := 8 * x.Vectors * x.Dimension; size != want {
		return fmt.Errorf("%s of the index has %d bytes; %d vectors of %d values have %d", VectorFile, size, x.Vectors, x.Dimension, want)
	}
	x.vectors = file
	return nil
}

// Group returns the group of a level and direction, nil if there is none.
func (x *Index) Group(level string, direction int64) *Group {
	for i := range x.Groups {
		if g := &x.Groups[i]; g.Level == level && g.Direction == direction {
			return g
		}
	}
	return nil
}

// Levels lists the levels of the index.
func (x *Index) Levels() []string {
	var out []string
	for _, g := range x.Groups {
		if !slices.Contains(out, g.Level) {
			out = append(out, g.Level)
		}
	}
	return out
}

// ReadVectors reads the raw vectors of Episodes[from:to], one behind the other.
func (x *Index) ReadVectors(from, to int) ([]float64, error) {
	d := int(x.Dimension)
	out := make([]float64, (to-from)*d)
	buffer := make([]byte, 8*d)
	for i := from; i < to; i++ {
		if _, err := x.vectors.ReadAt(buffer, int64(8*d)*int64(i)); err != nil {
			return nil, fmt.Errorf("%s of the index, vector %d: %w", VectorFile, i, err)
		}
		row := out[(i-from)*d:][:d]
		GetVector(row, buffer)
		for j, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("%w: feature %s of episode %s is %v", ErrDamaged, x.Features[j], x.Episodes[i].EpisodeID, v)
			}
		}
	}
	return out, nil
}

// GroupVectors reads the raw vectors of a group, and holds them to the moments
// that were written beside them: a damaged file is an ErrDamaged.
func (x *Index) GroupVectors(g *Group) ([]float64, error) {
	raw, err := x.ReadVectors(g.From, g.To)
	if err != nil {
		return nil, err
	}
	d := int(x.Dimension)
	rest := raw
	for i := range g.Dates {
		date := &g.Dates[i]
		moments := NewMoments(d)
		for range date.Count {
			moments.Add(rest[:d])
			rest = rest[d:]
		}
		if j := moments.differs(date); j >= 0 {
			return nil, fmt.Errorf("%w: feature %s of %s, direction %+d, on %s has mean %v and centred second moment %v, and %s has %v and %v",
				ErrDamaged, x.Features[j], g.Level, g.Direction, date.Date, moments.Mean[j], moments.M2[j], DatesTable, date.Mean[j], date.M2[j])
		}
	}
	return raw, nil
}

// ErrDamaged says that the vectors are not those that were written.
var ErrDamaged = fmt.Errorf("%s of the index is damaged", VectorFile)

// PutVector and GetVector are the encoding of a vector in the file.
func PutVector(b []byte, v []float64) {
	for j, x := range v {
		binary.LittleEndian.PutUint64(b[8*j:], math.Float64bits(x))
	}
}

// GetVector decodes a vector; see PutVector.
func GetVector(v []float64, b []byte) {
	for j := range v {
		v[j] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*j:]))
	}
}
