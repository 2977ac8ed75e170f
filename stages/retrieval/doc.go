// Package retrieval finds the historical set-ups nearest to one, says what came
// of them beside what comes of all, and measures whether that tells anything
// (spec 10, with the corrections R-1 … R-11 and the metric of §5).
//
// The definitions that spec 10 leaves open:
//
//   - Overlap: episodes of one contract, level and date belong to one chain
//     if their triggers are less than 22 minutes apart, directly or through others
//     between them, whatever their direction. The index holds the chains.
//   - The distance of a query to its neighbours is the mean over these. Training
//     episodes, at most 256 evenly spaced ones, are asked for their own nearest of
//     other days by the same rules, within what may be known as of the date; the
//     bandwidth h is the median of their distances, and the confidence of a query
//     the share of them that are no nearer than it.
//   - Without CHOP (a filter before ranking) base rates and training episodes are
//     those of the other classes; the normalisation is of all.
//   - Random neighbours of the evaluation obey the rules of neighbours and weigh by
//     their distance, so that nothing but the choice differs. Those of the same time
//     of day trigger within half an hour of the query, or are the nearest in time if
//     there are fewer than neighbours.
//   - The 20 dates and 50 episodes that a level needs are counted from both sides,
//     for a query as for the evaluation. An answer is also called thin if all
//     training episodes have nearer neighbours than the query, or the neighbours
//     weigh less than the base rates.
//   - Majority class, base rates and uniform have precision and expected score as
//     if they had neighbours, whose classes have the forecast's shares.
//   - Precision is the share of neighbours, of those that there are, that went
//     the query's way: BREAK, BOUNCE (REJECT in the two-minute family) or CHOP.
package retrieval
