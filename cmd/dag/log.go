package main

import (
	"errors"

	"dag/engine/event"
	"dag/engine/exec"
)

// logEvent writes an event to the log: what began, what ended and how.
func (a *app) logEvent(e event.Event) {
	switch e := e.(type) {
	case event.RunStarted:
		a.log.Info().Str("run", e.RunID).Str("lake", e.LakeRoot).Int("will_run", e.WillRun).Int("may_run", e.MayRun).Int("workers", e.Workers).Msg("run started")
	case event.StepStarted:
		a.log.Debug().Stringer("unit", e.Unit).Str("reason", e.Reason).Int("attempt", e.Attempt).Msg("started")
	case event.StepRetried:
		a.log.Warn().Stringer("unit", e.Unit).Int("attempt", e.Attempt).Err(e.Err).Dur("wait", e.Wait).Msg("failed, to be tried again")
	case event.StepReplanned:
		a.log.Warn().Stringer("unit", e.Unit).Strs("differences", e.Differences).Msg("planned anew")
	case event.StepFinished:
		entry := a.log.Info()
		if e.Result == event.Failed {
			entry = a.log.Error()
		}
		var bug *exec.PanicError
		if errors.As(e.Err, &bug) {
			entry = entry.Bytes("stack", bug.Stack)
		}
		entry.Stringer("unit", e.Unit).Str("result", string(e.Result)).Err(e.Err).Str("because", e.Because).
			Dur("elapsed", e.Elapsed).Int64("rows", e.RowsOut).Int64("bytes", e.Bytes).Msg("finished")
	case event.Grown:
		a.log.Info().Stringer("unit", e.Unit).Strs("values", e.Values).Int("added", e.Added).Msg("the plan grew")
	case event.Notice:
		a.log.Warn().Msg(e.Text)
	case event.RunFinished:
		a.log.Info().Str("run", e.RunID).Dur("elapsed", e.Elapsed).Msg("run finished")
	}
}
