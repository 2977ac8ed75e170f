package first4h

import (
	"testing"

	"dag/engine/stage/stagetest"
)

func TestRows(t *testing.T) { stagetest.Run(t, New()) }
