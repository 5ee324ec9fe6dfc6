package sms

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"vigia/alerting"
	"vigia/alerting/alertingtest"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

const (
	account = "AC0123456789abcdef0123456789abcdef"
	token   = "sms-token-secret"
	from    = "+50640001234"
	first   = "+50688881111"
	second  = "+50688882222"
	unknown = "+50600000000" // a number that the provider refuses
)

// reply answers as Twilio's API 2010-04-01 does.
func reply(w http.ResponseWriter, r alertingtest.Request, a alertingtest.Answer) {
	say := func(code int, format string, args ...any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, format, args...)
	}
	refuse := func(status, code int, message string) {
		say(status, `{"code":%d,"message":%q,"more_info":"https://www.twilio.com/docs/errors/%d","status":%d}`, code, message, code, status)
	}
	form, err := url.ParseQuery(r.Body)
	request := http.Request{Header: r.Header}
	user, password, _ := request.BasicAuth()
	switch {
	case a == alertingtest.RefuseNow:
		refuse(503, 20503, "Service unavailable")
	case a == alertingtest.RefuseForGood:
		refuse(400, 21610, "Attempt to send to unsubscribed recipient")
	case a == alertingtest.SlowDown:
		w.Header().Set("Retry-After", strconv.Itoa(int(alertingtest.PeerWait/time.Second)))
		refuse(429, 20429, "Too Many Requests")
	case a == alertingtest.Echo:
		refuse(500, 20500, r.Path+" "+r.Header.Get("Authorization")+" "+password)
	case user != account || password != token:
		refuse(401, 20003, "Authenticate")
	case err != nil || form.Get("To") == unknown:
		refuse(400, 21211, "The 'To' number is not a valid phone number.")
	case r.Path == "/2010-04-01/Accounts/"+account+"/Messages.json" && form.Get("Body") != "" && len(form.Get("Body")) <= 1600:
		say(201, `{"sid":"SM%s","status":"queued","num_segments":"1"}`, form.Get("To")[1:])
	case r.Path == "/2010-04-01/Accounts/"+account+"/Calls.json" && form.Get("Twiml") != "" && len(form.Get("Twiml")) <= 4000:
		say(201, `{"sid":"CA%s","status":"queued"}`, form.Get("To")[1:])
	default:
		refuse(404, 20404, "The requested resource was not found")
	}
}

func forms(t *testing.T, p *alertingtest.HTTPPeer) []url.Values {
	t.Helper()
	var list []url.Values
	for _, r := range p.Came() {
		form, err := url.ParseQuery(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, form)
	}
	return list
}

func TestNotifier(t *testing.T) {
	notGSM := regexp.MustCompile(`[^@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\\[~\]|€-]`)
	alertingtest.RunNotifier(t, alertingtest.NotifierSuite{
		Kind: Kind(),
		Start: func(t *testing.T) alertingtest.Peer {
			p := alertingtest.StartHTTP(t, reply)
			return alertingtest.Peer{
				Config: &Config{AccountSID: inventory.NewSecret(account), Token: inventory.NewSecret(token), From: from, To: []string{first}, APIURL: p.URL},
				Answer: p.Set, Close: p.Close,
				Copies: func() []alertingtest.Copy {
					var list []alertingtest.Copy
					for i, form := range forms(t, p) {
						list = append(list, alertingtest.Copy{Key: p.Came()[i].Header.Get("Idempotency-Key"), Text: form.Get("Body"), Raw: p.Came()[i].Body})
					}
					return list
				},
			}
		},
		Secrets: []string{token},
		Slows:   true,
		Short:   true,
		Breakout: func(c alertingtest.Copy) error {
			if bad := notGSM.FindString(c.Text); bad != "" {
				return fmt.Errorf("%q is not in the GSM alphabet", bad)
			}
			form, err := url.ParseQuery(c.Raw)
			if err != nil || len(form) != 3 {
				return fmt.Errorf("the form has %d fields: %w", len(form), err)
			}
			return nil
		},
	})
}

func open(t *testing.T, p *alertingtest.HTTPPeer, lang collectors.Lang, change func(*Config)) alerting.Notifier {
	t.Helper()
	c := &Config{AccountSID: inventory.NewSecret(account), Token: inventory.NewSecret(token), From: from, To: []string{first}, APIURL: p.URL + "/"}
	if change != nil {
		change(c)
	}
	n, err := c.Open(alerting.ReceiverSetup{
		Receiver: alerting.Receiver{Name: "duty-phone", Language: lang}, Words: alertingtest.SampleWords, PublicURL: "https://noc.example.com", Brand: "Example Telecom",
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestSeveralNumbers(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	n := open(t, p, "", func(c *Config) { c.To = []string{first, unknown, second} })
	p.Set(alertingtest.SlowDown)
	var later *alerting.RetryAfterError
	if _, err := n.Notify(t.Context(), alertingtest.SampleMessage()); !errors.As(err, &later) || !strings.HasPrefix(err.Error(), "0 of 3 numbers told: ") {
		t.Errorf("all too often: %v", err)
	}
	p.Set(alertingtest.Accept)
	receipt, err := n.Notify(t.Context(), alertingtest.SampleMessage())
	const want = "…0000: HTTP 400 from 127.0.0.1: The 'To' number is not a valid phone number. (error 21211); " +
		"…1111 queued as SM50688881111; …2222 queued as SM50688882222"
	if err != nil || receipt.Outcome != want {
		t.Errorf("%q, %v", receipt.Outcome, err)
	}
	if keys := p.Came(); keys[3].Header.Get("Idempotency-Key") == keys[5].Header.Get("Idempotency-Key") {
		t.Error("two numbers have one key")
	}
	_, err = open(t, p, "", func(c *Config) { c.To = []string{unknown} }).Notify(t.Context(), alertingtest.SampleMessage())
	if !errors.Is(err, alerting.ErrPermanent) {
		t.Errorf("only a number that is refused: %v", err)
	}
}

// TestOnlyTheOthers: a number that was told is not told again when another one has to be.
func TestOnlyTheOthers(t *testing.T) {
	busy := true
	p := alertingtest.StartHTTP(t, func(w http.ResponseWriter, r alertingtest.Request, a alertingtest.Answer) {
		if busy && strings.Contains(r.Body, second[1:]) {
			a = alertingtest.RefuseNow
		}
		reply(w, r, a)
	})
	n := open(t, p, "", func(c *Config) { c.To = []string{first, second} })
	if _, err := n.Notify(t.Context(), alertingtest.SampleMessage()); err == nil || errors.Is(err, alerting.ErrPermanent) {
		t.Errorf("one of two: %v", err)
	}
	busy = false
	if _, err := n.Notify(t.Context(), alertingtest.SampleMessage()); err != nil {
		t.Error(err)
	}
	var told []string
	for _, form := range forms(t, p) {
		told = append(told, form.Get("To"))
	}
	if want := []string{first, second, second}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

func TestWrongToken(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	_, err := open(t, p, "", func(c *Config) { c.Token = inventory.NewSecret("x") }).Notify(t.Context(), alertingtest.SampleMessage())
	const want = "HTTP 401 from 127.0.0.1: Authenticate (error 20003); compare account_sid and token: permanent"
	if !errors.Is(err, alerting.ErrPermanent) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestMessagingService(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	const mg = "MG0123456789abcdef0123456789abcdef"
	if _, err := open(t, p, "", func(c *Config) { c.From = mg }).Notify(t.Context(), alertingtest.SampleMessage()); err != nil {
		t.Fatal(err)
	}
	if form := forms(t, p)[0]; form.Get("MessagingServiceSid") != mg || form.Has("From") {
		t.Errorf("%v", form)
	}
}

// TestVoice: what asks for somebody rings, the rest is a text message.
func TestVoice(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	n := open(t, p, collectors.Spanish, func(c *Config) { c.Voice = true })
	messages := alertingtest.SampleMessages()
	for _, m := range messages {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	quiet := []alerting.Cause{alerting.CauseResolved, alerting.CauseAcknowledged, alerting.CauseMerged}
	for i, r := range p.Came() {
		if rang := strings.HasSuffix(r.Path, "/Calls.json"); rang == slices.Contains(quiet, messages[i].Cause) {
			t.Errorf("%s rang: %v", messages[i].Cause, rang)
		}
	}
	const want = `<Response><Say language="es-MX">Le llama Example Telecom. Crítica. El enlace sjo-gua pierde 11,2 % de los paquetes. Incidente nuevo. Incidente 2418</Say>` +
		`<Pause length="1"/><Say language="es-MX">Le llama Example Telecom. Crítica. El enlace sjo-gua pierde 11,2 % de los paquetes. Incidente nuevo. Incidente 2418</Say></Response>`
	if got := forms(t, p)[0].Get("Twiml"); got != want {
		t.Errorf("says %s", got)
	}
}

// TestRings: a message in place of one that another receiver missed rings only when that one would have.
func TestRings(t *testing.T) {
	for state, want := range map[alerting.IncidentState]bool{alerting.Open: true, alerting.Acknowledged: false, alerting.Resolved: false, alerting.Merged: false} {
		if got := rings(alerting.Message{Cause: alerting.CauseFallback, State: state}); got != want {
			t.Errorf("%s: %v, want %v", state, got, want)
		}
	}
	if !rings(alerting.Message{Cause: alerting.CauseEscalated, State: alerting.Acknowledged}) {
		t.Error("who escalates by hand wants it to ring")
	}
}

// TestVoiceHostile: no text becomes an instruction to the telephone system.
func TestVoiceHostile(t *testing.T) {
	p := alertingtest.StartHTTP(t, reply)
	n := open(t, p, "", func(c *Config) { c.Voice = true })
	for _, text := range append(alertingtest.HostileTexts, "mark-7f3</Say><Dial>+1900</Dial><Say>", strings.Repeat("mark-7f3&", 100)) {
		m := alertingtest.SampleMessage()
		m.Title = collectors.Because("sample.loses", text, 11.2)
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		came := forms(t, p)
		twiml := came[len(came)-1].Get("Twiml")
		var tags []string
		for decoder := xml.NewDecoder(strings.NewReader(twiml)); ; {
			token, err := decoder.Token()
			if token == nil {
				if err.Error() != "EOF" {
					t.Errorf("%q: %v", text, err)
				}
				break
			}
			if start, ok := token.(xml.StartElement); ok {
				tags = append(tags, start.Name.Local)
			}
		}
		if got := strings.Join(tags, " "); got != "Response Say Pause Say" || !strings.Contains(twiml, "mark-7f3") {
			t.Errorf("%q: tags %s in %s", text, got, twiml)
		}
	}
}

func TestValidate(t *testing.T) {
	base := `account_sid: ` + account + `, token: t, from: "+50640001234", to: ["+50688881111"]`
	tests := []struct{ yaml, want string }{
		{`{}`, "account_sid: an SMS receiver needs its account's SID\ntoken: an SMS receiver needs its account's token\n" +
			"from: an SMS receiver needs its sender\nto: an SMS receiver needs a number to tell"},
		{`{` + base + `}`, ""},
		{`{` + base + `, voice: true}`, ""},
		{`{account_sid: 77, token: t, from: 4400, to: ["+50688881111"], api_url: "https://sms.example"}`, ""},
		{`{account_sid: ` + account + `, token: t, from: IstmoVoz, to: ["+50688881111"]}`, ""},
		{`{account_sid: ` + account + `, token: t, from: MG0123456789abcdef0123456789abcdef, to: ["+50688881111"]}`, ""},
		{`{account_sid: 77, token: t, from: "+50640001234", to: ["+50688881111"]}`, "account_sid: this is not the SID of an account"},
		{`{account_sid: "a/b", token: t, from: "+50640001234", to: ["+50688881111"], api_url: "https://sms.example"}`, "account_sid: this is not the SID of an account"},
		{
			`{account_sid: ` + account + `, token: "t\n", from: IstmoVoz, voice: true, to: ["88881111", "+50688881111", "+50688881111"]}`,
			"token: the token holds a character that no token has\nfrom: \"IstmoVoz\" is no number, and a call comes from a number\n" +
				"to: \"88881111\" is not a telephone number\nto: +50688881111 is there twice",
		},
		{`{` + base + `, api_url: sms.example}`, "api_url: this is not an address that can be posted to"},
	}
	for _, tt := range tests {
		var c Config
		if err := yaml.Unmarshal([]byte(tt.yaml), &c); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range c.Validate() {
			got = append(got, p.Key+": "+p.Message)
		}
		if strings.Join(got, "\n") != tt.want {
			t.Errorf("%s: %q, want %q", tt.yaml, got, tt.want)
		}
	}
}
