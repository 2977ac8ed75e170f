// Package stages lists the transforms that are compiled into the binary. To
// add one, write its package and add its line here.
package stages

import (
	"dag/engine/stage"
	bronzembp10 "dag/stages/bronze/future/mbp10"
	bronzenbbo "dag/stages/bronze/future_option/nbbo"
	bronzestatistics "dag/stages/bronze/future_option/statistics"
	bronzetrades "dag/stages/bronze/future_option/trades"
	setupindex "dag/stages/gold/future/setup_index"
	setupvectors "dag/stages/gold/future/setup_vectors"
	nbbofirst3h "dag/stages/gold/future_option/nbbo_first3h"
	statisticsfirst3h "dag/stages/gold/future_option/statistics_first3h"
	tradesfirst3h "dag/stages/gold/future_option/trades_first3h"
	"dag/stages/silver/future/bar5s"
	"dag/stages/silver/future/first4h"
	frontmonth "dag/stages/silver/future/front_month"
	levelapproach2m "dag/stages/silver/future/level_approach2m"
	silvermbp10 "dag/stages/silver/future/mbp10"
	sessionlevels "dag/stages/silver/future/session_levels"
	nbboclean "dag/stages/silver/future_option/nbbo_clean"
	statisticsclean "dag/stages/silver/future_option/statistics_clean"
	tradesclean "dag/stages/silver/future_option/trades_clean"
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
		frontmonth.New(),
		setupvectors.New(),
		setupindex.New(),
		bronzenbbo.New(),
		bronzestatistics.New(),
		bronzetrades.New(),
		nbboclean.New(),
		statisticsclean.New(),
		tradesclean.New(),
		nbbofirst3h.New(),
		statisticsfirst3h.New(),
		tradesfirst3h.New(),
	}
}
