package main

import (
	"encoding/json"
	"math"

	"dag/stages/retrieval"
)

// similarFormat is the version of the documents of similar.
const similarFormat = 1

// number64 is a float of a document: null where it is undefined.
type number64 float64

// MarshalJSON writes null for NaN and infinities.
func (n number64) MarshalJSON() ([]byte, error) {
	if f := float64(n); !math.IsNaN(f) && !math.IsInf(f, 0) {
		return json.Marshal(f)
	}
	return []byte("null"), nil
}

// similarDoc is what dag similar says.
type similarDoc struct {
	Command       string         `json:"command"`
	FormatVersion int            `json:"format_version"`
	Semantics     string         `json:"semantics"`
	Query         queryDoc       `json:"query"`
	Neighbours    []neighbourDoc `json:"neighbours"`
	Outcomes      []outcomeDoc   `json:"outcomes"`
	// NotIndexed is how many partitions of set-up vectors are not in the index as
	// they are now; catchUp says how they come there.
	NotIndexed    int `json:"not_indexed"`
	catchUp       string
	ExpectedScore number64 `json:"expected_score_ticks"`
	MeanDistance  number64 `json:"mean_distance"`
	// With corrected semantics only.
	EffectiveN *number64    `json:"effective_n,omitempty"`
	Confidence *number64    `json:"confidence,omitempty"`
	Bandwidth  *number64    `json:"bandwidth,omitempty"`
	Training   *trainingDoc `json:"training,omitempty"`
	Thin       string       `json:"thin,omitempty"` // why the sample is too thin to rely on
	// With reference semantics only.
	MeanSimilarity      *number64 `json:"mean_similarity,omitempty"`
	RetrievalConfidence *number64 `json:"retrieval_confidence,omitempty"`
	OutcomeConfidence   *number64 `json:"outcome_confidence,omitempty"`
}

// queryDoc is what was asked about.
type queryDoc struct {
	EpisodeID string   `json:"episode_id,omitempty"`
	Date      string   `json:"dt,omitempty"`
	Symbol    string   `json:"symbol,omitempty"`
	Trigger   int64    `json:"trigger_candle_ts,omitempty"`
	Level     string   `json:"level_type"`
	Price     number64 `json:"level_price"`
	Direction int64    `json:"approach_direction"`
	Outcome   string   `json:"outcome,omitempty"`
	Score     number64 `json:"outcome_score"`
	AsOf      string   `json:"as_of,omitempty"`
	K         int      `json:"k"`
	PerDay    int      `json:"max_per_day,omitempty"`
	NoChop    bool     `json:"exclude_chop"`
}

type neighbourDoc struct {
	EpisodeID  string   `json:"episode_id"`
	Date       string   `json:"dt"`
	Symbol     string   `json:"symbol"`
	Trigger    int64    `json:"trigger_candle_ts"`
	Price      number64 `json:"level_price"`
	Direction  int64    `json:"approach_direction"`
	Distance   number64 `json:"distance"`
	Similarity number64 `json:"similarity"`
	Outcome    string   `json:"outcome"`
	Score      number64 `json:"outcome_score"`
	// At the trigger; null where undefined.
	Velocity number64 `json:"velocity_at_trigger"`
	Obi0     number64 `json:"obi0_at_trigger"`
	Wall     number64 `json:"wall_imbal_at_trigger"`
}

type outcomeDoc struct {
	Outcome     string    `json:"outcome"`
	Probability number64  `json:"probability"`
	BaseRate    *number64 `json:"base_rate,omitempty"`
	Lift        *number64 `json:"lift,omitempty"`
	Unweighted  *number64 `json:"unweighted,omitempty"` // reference semantics: share of the neighbours
}

// trainingDoc is what the answer is fitted on.
type trainingDoc struct {
	Episodes int    `json:"episodes"`
	Dates    int    `json:"dates"`
	First    string `json:"first_dt,omitempty"`
	Last     string `json:"last_dt,omitempty"`
}

// answer asks the index, in its semantics.
func answer(x *retrieval.Index, s *retrieval.Setup, f *similarFlags) (*similarDoc, error) {
	doc := &similarDoc{
		Command: "similar", FormatVersion: similarFormat, Semantics: x.Semantics, Neighbours: []neighbourDoc{}, Outcomes: []outcomeDoc{},
		Query: queryDoc{
			EpisodeID: s.EpisodeID, Date: s.Date, Symbol: s.Symbol, Trigger: s.Trigger, Level: s.Level, Price: number64(s.Price),
			Direction: s.Direction, Outcome: s.Outcome, Score: number64(s.Score), K: f.k, NoChop: f.excludeChop,
		},
	}
	if s.EpisodeID == "" {
		doc.Query.Price, doc.Query.Score = number64(math.NaN()), number64(math.NaN())
	}
	if x.Semantics == referenceSemantics {
		return doc, doc.askReference(x, s, f)
	}
	return doc, doc.ask(x, s, f)
}

func (d *similarDoc) ask(x *retrieval.Index, s *retrieval.Setup, f *similarFlags) error {
	for _, flag := range []string{"min-date", "max-date"} {
		if f.changed(flag) {
			return mistake("usage", "corrected semantics knows no --"+flag, "--as-of bounds what is seen")
		}
	}
	q := retrieval.Query{
		EpisodeID: s.EpisodeID, Date: s.Date, Level: s.Level, Direction: s.Direction, Vector: s.Vector,
		AsOf: f.asOf, K: f.k, MaxPerDay: f.perDay, ExcludeChop: f.excludeChop, Alpha: retrieval.DefaultAlpha,
	}
	if err := q.Check(x); err != nil {
		return mistake("bad_query", err.Error(), "")
	}
	a, err := retrieval.Ask(x, q)
	if err != nil {
		return err
	}
	d.Query.AsOf, d.Query.PerDay = a.AsOf, f.perDay
	d.neighbours(a.Neighbours)
	for _, c := range a.Classes {
		d.Outcomes = append(d.Outcomes, outcomeDoc{Outcome: c.Name, Probability: number64(c.Probability), BaseRate: pointer(c.BaseRate), Lift: pointer(c.Lift)})
	}
	d.ExpectedScore, d.MeanDistance = number64(a.ExpectedScore), number64(a.MeanDistance)
	d.EffectiveN, d.Confidence, d.Bandwidth = pointer(a.EffectiveN), pointer(a.Confidence), pointer(a.Bandwidth)
	d.Training = &trainingDoc{a.Episodes, a.Dates, a.First, a.Last}
	d.Thin = a.Thin
	return nil
}

func (d *similarDoc) askReference(x *retrieval.Index, s *retrieval.Setup, f *similarFlags) error {
	for _, flag := range []string{"as-of", "max-per-day"} {
		if f.changed(flag) {
			return mistake("usage", "reference semantics knows no --"+flag, "ask an index of corrected semantics")
		}
	}
	q := retrieval.ReferenceQuery{Level: s.Level, Vector: s.Vector, K: f.k, MinDate: f.minDate, MaxDate: f.maxDate, ExcludeChop: f.excludeChop}
	if err := q.Check(x); err != nil {
		return mistake("bad_query", err.Error(), "")
	}
	a, err := retrieval.AskReference(x, q)
	if err != nil {
		return err
	}
	d.neighbours(a.Neighbours)
	for c, name := range a.Classes {
		d.Outcomes = append(d.Outcomes, outcomeDoc{Outcome: name, Probability: number64(a.Weighted[c]), Unweighted: pointer(a.Unweighted[c])})
	}
	d.ExpectedScore, d.MeanDistance = number64(a.ExpectedScore), number64(a.MeanDistance)
	d.MeanSimilarity, d.RetrievalConfidence, d.OutcomeConfidence = pointer(a.MeanSimilarity), pointer(a.RetrievalConfidence), pointer(a.OutcomeConfidence)
	return nil
}

func (d *similarDoc) neighbours(list []retrieval.Neighbour) {
	for _, n := range list {
		d.Neighbours = append(d.Neighbours, neighbourDoc{
			n.EpisodeID, n.Date, n.Symbol, n.Trigger, number64(n.Price), n.Direction,
			number64(n.Distance), number64(n.Similarity), n.Outcome, number64(n.Score),
			number64(n.Velocity), number64(n.Obi0), number64(n.Wall),
		})
	}
}

func pointer(f float64) *number64 {
	n := number64(f)
	return &n
}
