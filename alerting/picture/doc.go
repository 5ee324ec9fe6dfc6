// Package picture draws what was measured in the hours before a message, for receivers that show pictures.
//
// One series, the threshold that it crossed as a dashed line, the moment at which the incident opened as a thin one. A gap without
// measurements stays a gap. Values and times are written as everywhere else: in the receiver's language, in the site's time zone.
//
// A picture is an extra: Of returns none, without an error, where there is nothing to show. It never decides anything.
package picture
