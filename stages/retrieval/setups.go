package retrieval

import (
	"dag/engine/stage"
	"dag/stages/internal/setupindex"
)

// Setup is one row of the set-up vectors; see setupindex.Setup.
type Setup = setupindex.Setup

// SetupColumns names the columns that ReadSetups wants.
func SetupColumns() []string { return setupindex.Names(setupindex.SetupColumns()) }

// ReadSetups reads rows of the set-up vectors, in their order.
func ReadSetups(rows stage.Batches) ([]Setup, error) {
	return setupindex.Read(setupindex.SetupColumns(), rows)
}
