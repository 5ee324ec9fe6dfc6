package email

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"vigia/alerting"
	"vigia/collectors"
)

//go:embed page.html
var pageText string

// palette is a severity's colours on a light ground: fill and what is written on it. They keep their contrast on a dark one.
type palette struct{ Fill, On string }

var palettes = map[alerting.Severity]palette{
	alerting.Critical:      {"#c8102e", "#ffffff"},
	alerting.Major:         {"#e86f00", "#1d1000"},
	alerting.Minor:         {"#eebb00", "#241c00"},
	alerting.Warning:       {"#1a73a8", "#ffffff"},
	alerting.Indeterminate: {"#7a4fb5", "#ffffff"},
}

var calmPalette = palette{"#5e6873", "#ffffff"}

// view is what the page shows.
type view struct {
	alerting.Said
	Lang      collectors.Lang
	Preheader string
	palette
	Items []item
	Chart bool // the message carries a picture
}

// item is one message of a digest.
type item struct {
	alerting.Said
	palette
}

// colours of a message: those of its severity while something is asked of somebody.
func colours(s alerting.Said) palette {
	p, ok := palettes[s.Severity]
	if !ok || s.Calm && s.Badge != "" {
		return calmPalette
	}
	return p
}

// page writes the message as HTML.
func page(lang collectors.Lang, said alerting.Said, chart bool) ([]byte, error) {
	v := view{Said: said, Lang: lang, palette: colours(said), Preheader: said.Cause, Chart: chart}
	if brief := said.Brief(); brief != "" {
		v.Preheader += ". " + brief
	}
	for _, one := range said.Items {
		v.Items = append(v.Items, item{one, colours(one)})
	}
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
