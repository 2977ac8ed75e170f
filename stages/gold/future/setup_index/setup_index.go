// Package setupindex gathers the set-up vectors of a root into one exact flat
// index (spec 09 §3, spec 00 "Vectors, index, retrieval"). What a partition of
// the index holds, and in which order, is said in stages/internal/setupindex.
//
// Episodes without a known outcome are left out (G-13), and so are those of a
// contract that is not the front month or of a day on which the contract rolls;
// both are counted. A value that is infinite or not a number ends the run with
// the name of its episode (G-11), and so does an episode that comes twice. An
// index with a level of at least 50 episodes, of which one class makes up more
// than max_class_share beyond doubt, is not published (spec 10 §5): the lower end of
// Wilson's one-sided interval of 95 % is above it. Shares that may be above it by
// chance are counted in shares_above_max_class_share.
//
// With semantics = "corrected" the normalisation over all dates is that of each
// level and direction (G-7 by one index each); with "reference" both directions
// of a level share one. The parameter also says how the vectors were made, and
// a query refuses an index of other semantics. Set-up vectors of reference
// semantics call an episode whose window is not over CHOP (10 Q-5), and nothing in
// them tells it from one that is: it is indexed as such. G-13 holds with corrected
// semantics alone, where such an episode has no outcome.
package setupindex

import (
	"context"
	"fmt"
	"math"
	"slices"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
	format "dag/stages/internal/setupindex"
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

// outPort is the name of the output.
const outPort = "index"

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "gold.future.setup_index",
		Version: 2,
		Summary: "The set-up vectors of a root as an exact index, with what past outcomes can be told by",
		Inputs:  []stage.Input{{Name: "vectors", Doc: "Set-up vectors of all contracts and days", Columns: format.Schema(format.SetupColumns())}},
		Outputs: []stage.Output{{
			Name: outPort, Doc: "One row for each indexed episode, in the order of its vectors", Schema: format.Schema(format.EpisodeColumns()),
			Tables: []stage.Table{
				{Name: format.ParametersTable, Doc: "What the index is, in one row", Schema: format.Schema(format.ParameterColumns())},
				{Name: format.FeaturesTable, Doc: "The ordered list of features", Schema: format.Schema(format.FeatureColumns())},
				{Name: format.DatesTable, Doc: "Sums by level, direction and date", Schema: format.Schema(format.DateColumns())},
				{Name: format.NormalisationTable, Doc: "The fit over all dates of the index", Schema: format.Schema(format.NormalisationColumns())},
			},
			Files: []string{format.VectorFile},
		}},
		Params: []stage.Param{
			mbp10.SemanticsParam("one normalisation for both directions of a level (G-7)"),
			{Name: "family", Type: stage.String, Default: format.Approach2m, Enum: format.FamilyNames(), Doc: "what kind of vectors they are"},
			{Name: "overlap_minutes", Type: stage.Int, Default: int64(22), Doc: "episodes of a contract, level and day whose triggers are nearer than this overlap: 4 candles before, the trigger, 6 after", Check: minutes},
			{Name: "max_class_share", Type: stage.Float, Default: 0.6, Doc: "largest share of one class of outcomes at a level; an index whose share is above it beyond doubt (50 episodes or more, 95 % one-sided interval of Wilson) fails, one that may be by chance is counted", Check: share},
		},
		Memory: 64 << 20,
	}
}

func minutes(v any) error {
	if n := v.(int64); n < 0 || n > 24*60 {
		return fmt.Errorf("%d is not from 0 to 1440", n)
	}
	return nil
}

func share(v any) error {
	if f := v.(float64); !(f > 0 && f <= 1) {
		return fmt.Errorf("%v is not above 0 and at most 1", f)
	}
	return nil
}

// Run spills the vectors as they come, sorts the metadata alone, and writes the
// vectors in that order: it never holds more than one batch of them.
func (transform) Run(ctx context.Context, t stage.Task) error {
	family, err := format.FamilyNamed(t.Params().String("family"))
	if err != nil {
		return err
	}
	g := gathering{task: t, family: family}
	if g.spill, err = t.Scratch(); err != nil {
		return err
	}
	if err := g.gather(ctx); err != nil {
		return err
	}
	if err := g.order(t.Params().Int("overlap_minutes")); err != nil {
		return err
	}
	if err := g.checkShares(t.Params().Float("max_class_share")); err != nil {
		return err
	}
	if err := g.write(); err != nil {
		return err
	}
	return g.spill.Close()
}

// gathering is one index in the making.
type gathering struct {
	task     stage.Task
	family   format.Family
	spill    stage.ScratchFile
	episodes []format.Episode // until they are ordered, ID is the place in spill
}

// gather reads all partitions.
func (g *gathering) gather(ctx context.Context) error {
	var rows []format.Setup
	buffer := make([]byte, 8*len(g.family.Features))
	for _, p := range g.task.Partitions("vectors") {
		for rec, err := range p.Read(format.Names(format.SetupColumns())...) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				rows, err = format.Decode(rows[:0], format.SetupColumns(), rec)
			}
			if err != nil {
				return err
			}
			for i := range rows {
				if err := g.add(&rows[i], buffer); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// add keeps an episode, or counts why not.
func (g *gathering) add(r *format.Setup, buffer []byte) error {
	if err := g.check(r); err != nil {
		return err
	}
	switch {
	case r.Contaminated || !r.Front:
		g.task.Count("dropped_not_front_month", 1)
		return nil
	case r.Outcome == "" || math.IsNaN(r.Score):
		g.task.Count("dropped_incomplete_outcome", 1)
		return nil
	}
	format.PutVector(buffer, r.Vector)
	if _, err := g.spill.Write(buffer); err != nil {
		return err
	}
	r.ID = int64(len(g.episodes))
	g.episodes = append(g.episodes, r.Episode)
	return nil
}

// check refuses what would spoil the index.
func (g *gathering) check(r *format.Setup) error {
	if len(r.Vector) != len(g.family.Features) {
		return fmt.Errorf("the vector of episode %s has %d values; those of %s have %d", r.EpisodeID, len(r.Vector), g.family.Name, len(g.family.Features))
	}
	for j, v := range r.Vector {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the vector of episode %s has %v at %d (%s)", r.EpisodeID, v, j, g.family.Features[j])
		}
	}
	if r.Outcome != "" && !slices.Contains(g.family.Classes, r.Outcome) {
		return fmt.Errorf("episode %s has outcome %q; those of %s are %q", r.EpisodeID, r.Outcome, g.family.Name, g.family.Classes)
	}
	if math.IsInf(r.Score, 0) {
		return fmt.Errorf("episode %s has outcome_score %v", r.EpisodeID, r.Score)
	}
	if r.Direction != 1 && r.Direction != -1 {
		return fmt.Errorf("episode %s has approach_direction %d, neither 1 nor -1", r.EpisodeID, r.Direction)
	}
	return nil
}
