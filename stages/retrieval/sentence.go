package retrieval

import (
	"fmt"
	"math"
	"strconv"
)

// percent writes a share: 12.5 %.
func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }

// Sentence says in plain words whether past set-ups tell anything. Skill is
// claimed only where its interval excludes chance.
func (r *Report) Sentence() string {
	if r.Queries == 0 {
		return fmt.Sprintf("Nothing could be tested: a level needs %d dates and %d episodes before the first test.", r.Options.MinDates, r.Options.MinEpisodes)
	}
	asked := fmt.Sprintf("over %d episodes on %d days", r.Queries, r.Days)
	if math.IsNaN(r.Skill.Value) {
		return fmt.Sprintf("There is nothing to forecast: %s, all outcomes of each level and side are of one class.", asked)
	}
	k := fmt.Sprintf("the %d nearest set-ups", r.Options.Headline)
	loss := fmt.Sprintf("their log loss is %s than that of the base rates", compared(r.Skill.Value))
	way := "they went the same way " + ratio(r.Lift.Value) + " times as often as random neighbours"
	if math.IsNaN(r.Lift.Value) {
		way = "no random neighbours went the same way to compare with"
	}
	if r.Days < enoughDates {
		return fmt.Sprintf("Skill cannot be told from chance: of the %d days that it takes only %d could be tested. Of %s, over %d episodes, it can be said that %s, and %s; chance may look the same.",
			enoughDates, r.Days, k, r.Queries, loss, way)
	}
	skill := fmt.Sprintf("%s (95 %% interval of the skill %s)", loss, span(r.Skill, percent))
	lift := fmt.Sprintf("%s (%s)", way, span(r.Lift, ratio))
	switch {
	case r.HasSkill && r.HasLift:
		return fmt.Sprintf("There is skill: %s, %s beat the base rates: %s, and %s.", asked, k, skill, lift)
	case r.HasSkill:
		return fmt.Sprintf("There is some skill: %s, %s beat the base rates: %s; but not chance: %s.", asked, k, skill, lift)
	case r.HasLift:
		return fmt.Sprintf("There is no skill to forecast with: %s, %s do not beat the base rates: %s; yet %s.", asked, k, skill, lift)
	}
	return fmt.Sprintf("There is no skill: %s, %s tell no more than the base rates: %s, and %s. What was found by chance would look the same.", asked, k, skill, lift)
}

func compared(skill float64) string {
	if skill < 0 {
		return percent(math.Abs(skill)) + " higher"
	}
	return percent(skill) + " lower"
}

func ratio(f float64) string { return strconv.FormatFloat(f, 'f', 2, 64) }

// span writes the ends of an interval.
func span(i Interval, write func(float64) string) string {
	if math.IsNaN(i.Low) {
		return "undefined"
	}
	return write(i.Low) + " to " + write(i.High)
}
