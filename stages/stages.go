// Package stages lists the transforms that are compiled into the binary. To
// add one, write its package and add its line here.
package stages

import (
	"dag/engine/stage"
	bronzembp10 "dag/stages/bronze/future/mbp10"
	"dag/stages/silver/future/bar5s"
	"dag/stages/silver/future/first4h"
	levelapproach2m "dag/stages/silver/future/level_approach2m"
	silvermbp10 "dag/stages/silver/future/mbp10"
	sessionlevels "dag/stages/silver/future/session_levels"
)

// All returns every transform, by name.
func All() []stage.Transform {
	return []stage.Transform{
		bronzembp10.New(),
		bar5s.New(),
		first4h.New(),
		levelapproach2m.New(),
		silvermbp10.New(),
		sessionlevels.New(),
	}
}
