package setupindex

import "dag/stages/internal/setupvector"

// Approach2m is the family of spec 09 §7: 256 values of five two-minute candles.
const Approach2m = "approach2m"

func approach2m() Family {
	return Family{Name: Approach2m, Features: setupvector.Features(), Classes: []string{"BREAK", "REJECT", "CHOP"}}
}
