package wire

import (
	"bytes"
	"net/netip"

	"vigia/collectors/voice"
)

// VQ decodes the text of a vq-rtcpxr body (RFC 6035 §4.6) and hands its reports to sink, each as one Quality: usually there is one. A HEP agent
// may hand on the whole SIP message instead of its body; that is decoded too. Errors are ErrNotVQ and those of SIP.
func VQ(meta Meta, data []byte, sink voice.Sink) error {
	return DecodeVQ(seen(&meta), []byte(meta.Correlation), data, sink)
}

// DecodeVQ is VQ for those who know by which way the packet came.
func DecodeVQ(by voice.Seen, correlation, data []byte, sink voice.Sink) error {
	if LooksLikeSIP(data) {
		return DecodeSIP(by, correlation, data, sink)
	}
	d := borrow()
	defer pool.Put(d)
	return d.report(by, correlation, data, nil, sink)
}

// DecodeReport is VQ for a SIP message that CarriesVQ.
func DecodeReport(by voice.Seen, m *Message, sink voice.Sink) error {
	d := borrow()
	defer pool.Put(d)
	return d.report(by, nil, m.Body, m, sink)
}

// vq is one body being read. Phones write it in many ways:
//
//   - lines end with CRLF or LF and may be folded; names are in any case and may hold blanks (TimeStamps, "Local Metrics");
//   - the first line lacks its colon, or a header line has = in its place (AudioCodes: CallID=…);
//   - CallID stands at the top, within LocalMetrics, or only in DialogID; LocalMetrics is written Metrics, or left out;
//   - the dialect before the RFC has FromID and ToID in place of LocalID and RemoteID;
//   - addresses have colons for = (IP:192.0.2.1 PORT:4000), blanks after =, or no IP at all;
//   - values hold blanks (PD=G.711 A-Law), miss the blank before the next key (JBM=20JBX=240), or carry a unit.
type vq struct {
	d       *decoded
	q       *voice.Quality
	side    *voice.Side // that the lines are about
	started bool        // there was a report line
	remote  bool        // an alert says that its metrics are the remote ones
	fromID  party       // of the dialect before the RFC
	toID    party
	dialog  []byte // Call-ID of DialogID
	figures [2]figures
}

// figures tells a side that measured something from one that is nothing but zeros.
type figures struct {
	any     bool // a figure that is not 0
	zeroMOS bool // a MOS or R of 0, which says that there was none
}

// report reads a body. carrier is the SIP message around it, if it is known.
func (d *decoded) report(by voice.Seen, correlation, body []byte, carrier *Message, sink voice.Sink) error {
	empty := voice.Quality{Seen: by, CorrelationID: correlation}
	if carrier != nil {
		empty.UserAgent = d.text.tidy(d.text.unfold(carrier.Header("user-agent", "")), maxText)
	}
	v := d.begin(&empty)
	for len(body) > 0 {
		var line []byte
		line, body = nextLine(body)
		name, value := v.split(trim(d.text.unfold(line)))
		kind, ok := reportKind(name)
		if !ok {
			v.line(name, value)
			continue
		}
		if v.started {
			v.finish(carrier)
			sink.Quality(v.q)
			v = d.begin(&empty)
		}
		v.started, v.q.Kind = true, kind
		v.alert(value)
	}
	if !v.started {
		return ErrNotVQ
	}
	v.finish(carrier)
	sink.Quality(v.q)
	return nil
}

func (d *decoded) begin(empty *voice.Quality) vq {
	d.quality = *empty
	return vq{d: d, q: &d.quality, side: &d.quality.Local}
}

// split cuts a line into its name, in lower case letters without blanks, and its value.
func (v *vq) split(line []byte) (name, value []byte) {
	end := bytes.IndexAny(line, ":=")
	if end < 0 {
		end = len(line)
	}
	from := len(v.d.text)
	for _, c := range line[:min(end, 32)] {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if !blank(c) {
			v.d.text = append(v.d.text, c)
		}
	}
	return v.d.text[from:len(v.d.text):len(v.d.text)], trim(line[min(end+1, len(line)):])
}

func reportKind(name []byte) (voice.QualityKind, bool) {
	switch string(name) {
	case "vqsessionreport":
		return voice.QualitySession, true
	case "vqintervalreport":
		return voice.QualityInterval, true
	case "vqalertreport":
		return voice.QualityAlert, true
	}
	return 0, false
}

// alert notes whether a bare "Metrics:" is of the remote side. What the alert is about is in the metrics themselves.
func (v *vq) alert(value []byte) {
	for key, of := range pairs(value) {
		if is(key, "dir") {
			v.remote = is(of, "remote")
		}
	}
}

// line takes one line.
func (v *vq) line(name, value []byte) {
	text := &v.d.text
	switch string(name) {
	case "callid":
		v.q.CallID = v.id(value)
	case "dialogid":
		v.dialogID(value)
	case "localid":
		p := text.address(value)
		v.q.LocalUser, v.q.LocalHost = p.user, p.host
	case "remoteid":
		p := text.address(value)
		v.q.RemoteUser, v.q.RemoteHost = p.user, p.host
	case "fromid":
		v.fromID = text.address(value)
	case "toid":
		v.toID = text.address(value)
	case "localaddr":
		takeAddr(&v.q.Local, value)
	case "remoteaddr":
		takeAddr(&v.q.Remote, value)
	case "x-useragent":
		if len(v.q.UserAgent) == 0 {
			v.q.UserAgent = text.tidy(value, maxText)
		}
	case "type", "dir": // of an alert, on a line of its own; split took its first key off
		v.alert(value)
	default:
		v.metrics(name, value)
	}
}

// metrics takes a line of LocalMetrics or RemoteMetrics, or one of these words.
func (v *vq) metrics(name, value []byte) {
	switch string(name) {
	case "localmetrics":
		v.side = &v.q.Local
	case "remotemetrics":
		v.side = &v.q.Remote
	case "metrics":
		if v.side = &v.q.Local; v.remote {
			v.side = &v.q.Remote
		}
	case "timestamps":
		v.times(value)
	case "sessiondesc":
		v.session(value)
	case "jitterbuffer", "packetloss", "burstgaploss", "delay", "signal", "qualityest":
		v.measure(value)
	}
}

func (v *vq) id(value []byte) []byte {
	if len(value) > maxID {
		return nil
	}
	return v.d.text.tidy(value, maxID)
}

// dialogID reads "call-id;to-tag=…;from-tag=…".
func (v *vq) dialogID(value []byte) {
	id, params, _ := bytes.Cut(value, []byte(";"))
	v.dialog = v.id(trim(id))
	v.q.ToTag = v.d.text.tidy(param(params, "to-tag"), maxText)
	v.q.FromTag = v.d.text.tidy(param(params, "from-tag"), maxText)
}

// finish fills in what only the whole body shows.
func (v *vq) finish(carrier *Message) {
	q := v.q
	if len(q.CallID) == 0 {
		q.CallID = v.dialog
	}
	if len(q.LocalUser)+len(q.LocalHost) == 0 && len(v.fromID.host)+len(v.fromID.user) > 0 {
		local, remote := v.fromID, v.toID
		if carrier != nil {
			sender := v.d.text.address(v.d.text.unfold(carrier.Header("from", "f")))
			if len(sender.user) > 0 && bytes.Equal(sender.user, remote.user) && !bytes.Equal(sender.user, local.user) {
				local, remote = remote, local
			}
		}
		q.LocalUser, q.LocalHost, q.RemoteUser, q.RemoteHost = local.user, local.host, remote.user, remote.host
	}
	unmeasured(&q.Local, v.figures[0].zeroMOS && !v.figures[0].any)
	unmeasured(&q.Remote, !v.figures[1].any)
}

// notMeasured are the fields that say something about the call and not about the phone.
const notMeasured = voice.HasSideLoss | voice.HasSideDiscard | voice.HasSideBurst | voice.HasSideGap | voice.HasSideRoundTrip | voice.HasSideEndSystem |
	voice.HasSideOneWay | voice.HasSideJitter | voice.HasSideRLQ | voice.HasSideRCQ | voice.HasSideMOSLQ | voice.HasSideMOSCQ

// unmeasured takes the zeros out of a side that measured nothing.
func unmeasured(s *voice.Side, nothing bool) {
	if nothing {
		s.Has &^= notMeasured
	}
}

// takeAddr reads LocalAddr or RemoteAddr: IP, PORT and SSRC, each with = or a colon.
func takeAddr(s *voice.Side, value []byte) {
	var ip netip.Addr
	var port uint64
	for len(value) > 0 {
		i := bytes.IndexAny(value, "=:")
		if i < 0 {
			break
		}
		key := lastWord(trim(value[:i]))
		value = bytes.TrimLeft(value[i+1:], " \t")
		end := bytes.IndexAny(value, " \t;,")
		if end < 0 {
			end = len(value)
		}
		switch of := value[:end]; {
		case nameOf(of): // "IP= PORT=4000": the value is missing
			continue
		case is(key, "ip"):
			ip = address(bytes.Trim(of, "[]"))
		case is(key, "port"):
			port, _, _ = number(of, 65535)
		case is(key, "ssrc"):
			s.SSRC = ssrc(of)
		}
		value = value[end:]
	}
	if s.SSRC != 0 {
		s.Has |= voice.HasSideSSRC
	}
	if ip.IsValid() && !ip.IsUnspecified() && port != 0 {
		s.Addr = netip.AddrPortFrom(ip, uint16(port))
	}
}

// nameOf reports whether what stands where a value should is the next key.
func nameOf(of []byte) bool { return begins(of, "port=") || begins(of, "ssrc=") || begins(of, "ip=") }

func lastWord(text []byte) []byte {
	if i := bytes.LastIndexAny(text, " \t;,"); i >= 0 {
		return text[i+1:]
	}
	return text
}

// ssrc reads hexadecimal with 0x or with letters, else decimal, else (more than 32 bits) hexadecimal without. 0 when it is none.
func ssrc(of []byte) uint32 {
	digits := of
	hex := begins(of, "0x")
	if hex {
		digits = of[2:]
	} else if n, rest, ok := number(of, 1<<32-1); ok && len(rest) == 0 {
		return uint32(n)
	}
	var n uint32
	for _, c := range digits {
		d := hexDigit(c)
		if d < 0 || len(digits) > 8 {
			return 0
		}
		n = n<<4 | uint32(d)
	}
	return n
}
