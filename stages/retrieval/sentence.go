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
	skill := fmt.Sprintf("their log loss is %s than that of the base rates (95 %% interval of the skill %s to %s)", compared(r.Skill.Value), percent(r.Skill.Low), percent(r.Skill.High))
	lift := fmt.Sprintf("they went the same way %.2f times as often as random neighbours (%.2f to %.2f)", r.Lift.Value, r.Lift.Low, r.Lift.High)
	asked := fmt.Sprintf("over %d episodes on %d days", r.Queries, r.Days)
	k := fmt.Sprintf("the %d nearest set-ups", r.Options.Headline)
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
