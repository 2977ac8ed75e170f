package setupindex

// Setup is one row of the set-up vectors, as far as an index or a query wants
// it. Outcome is empty and Score NaN while they are not known.
type Setup struct {
	Episode
	Vector       []float64
	Contaminated bool // the contract rolls on this day
	Front        bool // it is the front month
}

// SetupColumns are the columns read of the set-up vectors.
func SetupColumns() []Column[Setup] {
	return []Column[Setup]{
		Text("episode_id", func(s *Setup) *string { return &s.EpisodeID }),
		Text("dt", func(s *Setup) *string { return &s.Date }),
		Text("symbol", func(s *Setup) *string { return &s.Symbol }),
		Text("level_type", func(s *Setup) *string { return &s.Level }),
		Double("level_price", func(s *Setup) *float64 { return &s.Price }),
		Long("trigger_candle_ts", func(s *Setup) *int64 { return &s.Trigger }),
		Long("approach_direction", func(s *Setup) *int64 { return &s.Direction }),
		MaybeText("outcome", func(s *Setup) *string { return &s.Outcome }),
		Maybe("outcome_score", func(s *Setup) *float64 { return &s.Score }),
		Maybe("velocity_at_trigger", func(s *Setup) *float64 { return &s.Velocity }),
		Maybe("obi0_at_trigger", func(s *Setup) *float64 { return &s.Obi0 }),
		Maybe("wall_imbal_at_trigger", func(s *Setup) *float64 { return &s.Wall }),
		Flag("roll_contaminated", func(s *Setup) *bool { return &s.Contaminated }),
		Flag("is_front_month", func(s *Setup) *bool { return &s.Front }),
		Doubles("vector", func(s *Setup) *[]float64 { return &s.Vector }),
	}
}
