package web

import (
	"net/http"
	"time"

	"vigia/collectors"
)

// prefs are a reader's choices, kept in cookies.
type prefs struct {
	Lang     collectors.Lang
	Theme    string // light, dark or "" for the system's
	Density  string // compact or "" for comfortable
	Contrast string // more or "" for the system's
	Zone     string // an IANA name, or "" for the zone in which most objects are
}

// choices lists what each cookie may hold; the first is the default, for which the cookie goes.
var choices = map[string][]string{
	"lang": {"", "en", "es"}, "theme": {"", "light", "dark"}, "density": {"", "compact"}, "contrast": {"", "more"},
}

func readPrefs(r *http.Request) prefs {
	p := prefs{
		Lang: collectors.Lang(chosen(r, "lang")), Theme: chosen(r, "theme"), Density: chosen(r, "density"), Contrast: chosen(r, "contrast"),
	}
	if p.Lang == "" {
		p.Lang = langOf(r.Header.Get("Accept-Language"))
	}
	if c, err := r.Cookie("zone"); err == nil {
		p.Zone = zoneName(c.Value)
	}
	return p
}

// chosen reads a cookie that may hold one of a few words.
func chosen(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	for _, ok := range choices[name] {
		if c.Value == ok {
			return ok
		}
	}
	return ""
}

// zoneName returns name when it is a time zone, else nothing.
func zoneName(name string) string {
	if name == "" || name == "Local" || len(name) > 64 {
		return ""
	}
	if _, err := time.LoadLocation(name); err != nil {
		return ""
	}
	return name
}

// setCookie keeps a choice for a year; an empty one is forgotten. The scripts read and write density too.
func setCookie(w http.ResponseWriter, name, value string) {
	age := 365 * 24 * 60 * 60
	if value == "" {
		age = -1
	}
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, SameSite: http.SameSiteLaxMode, HttpOnly: name != "density"})
}
