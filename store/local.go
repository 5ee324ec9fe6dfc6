package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// The local journal is a file of this machine. What the database does not take is written there and forced to the disk before anybody acts
// on it. Its room is taken in advance, so that it can still be written when the disk is full.
//
//	0     header   twice, 512 octets each: magic, length, JSON, zeros, CRC-32C of all before
//	1024  records  magic, generation, number, length, kind, payload, CRC-32C of all before; the last one is of kind recordEnd
//
// A record is written together with the end that follows it, over the end before. To empty the journal is to begin a new generation: what
// older ones left behind is no longer read. So whatever octet changes, and wherever the file is cut, it is noticed: a record does not fit its
// checksum, a number is missing, or the end is.

const (
	headerMagic = "VIGIAJ1\n"
	headerSize  = 512
	recordsAt   = 2 * headerSize

	recordMagic   = "VJR1"
	recordHead    = 4 + 4 + 4 + 4 + 1 // magic, generation, number, length, kind
	recordSum     = 4
	recordEnd     = 0 // nothing follows; its number is that of the record before
	recordChange  = 1 // an alerting.Change, JSON
	recordSettle  = 2 // []outbox.Result, JSON
	recordCommand = 3 // an alerting.Command, JSON

	growthLimit = 16 // how many times larger than the room taken in advance it may become
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errJournalFull says that the journal has reached its limit.
var errJournalFull = errors.New("the local journal is full")

// journalOwner is a process that was the active one: what the lease says of it.
type journalOwner struct {
	Epoch  int64
	Holder string
}

// journalHeader says whose journal it is.
type journalHeader struct {
	Generation uint32
	Owner      journalOwner // what it holds was decided by this one
	Claim      journalOwner // who was about to become the owner; it is the same process
}

// entry is one record of the journal.
type entry struct {
	number  uint32
	kind    byte
	payload []byte
}

// localJournal is the open file. Its methods may be called from any goroutine.
type localJournal struct {
	path string
	room int64 // octets taken in advance

	mu     sync.Mutex
	file   *os.File
	header journalHeader
	last   uint32 // the number of the last record, 0 for none
	end    int64  // where the next one goes
}

// openLocal opens or makes the journal and returns what it holds and what is wrong with it. errJournalBusy: another process has it.
func openLocal(path string, room int64) (j *localJournal, held []entry, damage []string, err error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the operator named it
	if err != nil {
		return nil, nil, nil, fmt.Errorf("open the local journal: %w", err)
	}
	j = &localJournal{path: path, room: room, file: file}
	held, damage, err = j.take()
	if err != nil {
		_ = file.Close() // why it cannot be used is the news
		return nil, nil, nil, fmt.Errorf("open the local journal %s: %w", path, err)
	}
	return j, held, damage, nil
}

var errJournalBusy = errors.New("another process has it open")

func (j *localJournal) take() (held []entry, damage []string, err error) {
	if err := syscall.Flock(int(j.file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = errJournalBusy
		}
		return nil, nil, err
	}
	data, err := io.ReadAll(io.NewSectionReader(j.file, 0, growthLimit*j.room+recordsAt))
	if err != nil {
		return nil, nil, err
	}
	if len(data) > 0 {
		j.header, held, j.end, damage = readJournal(data)
	}
	if len(held) > 0 {
		j.last = held[len(held)-1].number
	}
	if err := j.allocate(int64(len(data))); err != nil {
		damage = append(damage, fmt.Sprintf("there is no room for %d octets on its disk, so that a full disk may keep changes from being written: %v", j.room, err))
	}
	if len(data) == 0 {
		return nil, damage, errors.Join(j.empty(journalHeader{}), syncFolder(filepath.Dir(j.path)))
	}
	return held, damage, nil
}

// allocate takes the room in advance, with zeros behind what is there.
func (j *localJournal) allocate(have int64) error {
	zeros := make([]byte, 1<<20)
	for at := have; at < j.room; {
		n, err := j.file.WriteAt(zeros[:min(int64(len(zeros)), j.room-at)], at)
		at += int64(n)
		if err != nil {
			return err
		}
	}
	return nil
}

// append writes one record, on the disk when it returns. When it fails the journal is as it was.
func (j *localJournal) append(kind byte, payload []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	data := encodeRecord(nil, j.header.Generation, entry{j.last + 1, kind, payload})
	next := j.end + int64(len(data))
	data = encodeRecord(data, j.header.Generation, entry{number: j.last + 1, kind: recordEnd})
	if j.end+int64(len(data)) > growthLimit*j.room {
		return errJournalFull
	}
	if _, err := j.file.WriteAt(data, j.end); err != nil {
		return fmt.Errorf("write the local journal %s: %w", j.path, err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("write the local journal %s: %w", j.path, err)
	}
	j.last, j.end = j.last+1, next
	return nil
}

// read returns the records from an offset on, about as many octets as most, and where the next one begins.
func (j *localJournal) read(from, most int64) (list []entry, next int64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	data := make([]byte, max(j.end-from, 0))
	if _, err := j.file.ReadAt(data, from); err != nil {
		return nil, from, fmt.Errorf("read the local journal %s: %w", j.path, err)
	}
	for next = from; next < j.end && next-from < most; {
		r, n := decodeRecord(data[next-from:], j.header.Generation)
		if n == 0 {
			return list, next, fmt.Errorf("read the local journal %s: octet %d has changed since it was written", j.path, next)
		}
		list, next = append(list, r), next+int64(n)
	}
	return list, next, nil
}

// size is how many records there are and where they end.
func (j *localJournal) size() (records int, end int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return int(j.last), j.end
}

// claim notes who is about to own the journal, before it takes the right to be the active process from prev. Mine: prev owned it too.
func (j *localJournal) claim(prev, who journalOwner) (mine bool, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	header := j.header
	if mine = header.belongs(prev); mine {
		header.Owner = prev
	}
	header.Claim = who
	return mine, j.write(header, encodeHeaders(header), 0)
}

// belongs reports whether a process owned the journal, or was about to.
func (h *journalHeader) belongs(prev journalOwner) bool {
	return prev.Epoch > 0 && (h.Owner == prev || h.Claim == prev)
}

func (j *localJournal) belongs(prev journalOwner) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.header.belongs(prev)
}

// owner is whose the journal is.
func (j *localJournal) owner() journalOwner {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.header.Owner
}

// empty forgets all records and gives the journal to an owner.
func (j *localJournal) empty(header journalHeader) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	header.Generation = j.header.Generation + 1
	data := encodeRecord(encodeHeaders(header), header.Generation, entry{kind: recordEnd})
	if err := j.write(header, data, 0); err != nil {
		return err
	}
	j.last, j.end = 0, recordsAt
	if info, err := j.file.Stat(); err == nil && info.Size() > j.room {
		_ = j.file.Truncate(j.room) // what it took beyond its room is given back; if not, nothing is lost
	}
	return nil
}

// write puts headers in place. The caller holds mu.
func (j *localJournal) write(header journalHeader, data []byte, at int64) error {
	if _, err := j.file.WriteAt(data, at); err != nil {
		return fmt.Errorf("write the local journal %s: %w", j.path, err)
	}
	if err := j.file.Sync(); err != nil {
		return fmt.Errorf("write the local journal %s: %w", j.path, err)
	}
	j.header = header
	return nil
}

// keep copies the journal beside itself, for people, and returns the copy's name.
func (j *localJournal) keep(suffix string) (string, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	to := j.path + suffix
	data := make([]byte, j.end)
	if _, err := j.file.ReadAt(data, 0); err != nil {
		return to, err
	}
	return to, os.WriteFile(to, data, 0o600)
}

func (j *localJournal) close() {
	_ = j.file.Close() // all of it is on the disk, and the lock is given back
}

func encodeHeaders(h journalHeader) []byte {
	text, err := json.Marshal(h)
	if err != nil || len(text) > headerSize-len(headerMagic)-8 {
		text, _ = json.Marshal(journalHeader{Generation: h.Generation}) //nolint:errchkjson // numbers: a name that is too long belongs to nobody
	}
	slot := make([]byte, headerSize)
	n := copy(slot, headerMagic)
	binary.BigEndian.PutUint32(slot[n:], uint32(len(text)))
	copy(slot[n+4:], text)
	binary.BigEndian.PutUint32(slot[headerSize-4:], crc32.Checksum(slot[:headerSize-4], castagnoli))
	return append(slot, slot...)
}

func decodeHeader(slot []byte) (h journalHeader, ok bool) {
	if len(slot) < headerSize || string(slot[:len(headerMagic)]) != headerMagic ||
		binary.BigEndian.Uint32(slot[headerSize-4:headerSize]) != crc32.Checksum(slot[:headerSize-4], castagnoli) {
		return h, false
	}
	text := slot[len(headerMagic)+4 : headerSize-4]
	if n := binary.BigEndian.Uint32(slot[len(headerMagic):]); int64(n) <= int64(len(text)) {
		text = text[:n]
	}
	return h, json.Unmarshal(text, &h) == nil
}

func encodeRecord(to []byte, generation uint32, r entry) []byte {
	begin := len(to)
	to = append(to, recordMagic...)
	to = binary.BigEndian.AppendUint32(to, generation)
	to = binary.BigEndian.AppendUint32(to, r.number)
	to = binary.BigEndian.AppendUint32(to, uint32(len(r.payload)))
	to = append(append(to, r.kind), r.payload...)
	return binary.BigEndian.AppendUint32(to, crc32.Checksum(to[begin:], castagnoli))
}

// decodeRecord reads the record at the beginning of data and how long it is, 0 when there is none of that generation.
func decodeRecord(data []byte, generation uint32) (r entry, n int) {
	if len(data) < recordHead+recordSum || string(data[:4]) != recordMagic || binary.BigEndian.Uint32(data[4:]) != generation {
		return r, 0
	}
	length := int64(binary.BigEndian.Uint32(data[12:]))
	if length > int64(len(data)-recordHead-recordSum) {
		return r, 0
	}
	sum := recordHead + int(length)
	if binary.BigEndian.Uint32(data[sum:]) != crc32.Checksum(data[:sum], castagnoli) {
		return r, 0
	}
	r = entry{binary.BigEndian.Uint32(data[8:]), data[16], bytes.Clone(data[recordHead:sum])}
	return r, sum + recordSum
}

// readJournal reads a whole file: all records that are whole, where the next one goes, and what is damaged, in words.
func readJournal(data []byte) (h journalHeader, held []entry, end int64, damage []string) {
	h, damage = readHeaders(data)
	end = recordsAt
	for {
		r, n := decodeRecord(data[min(end, int64(len(data))):], h.Generation)
		if n == 0 {
			p := nextRecord(data, end, h.Generation)
			if p < 0 {
				return h, held, end, append(damage, fmt.Sprintf("its end is missing after octet %d: the last change was cut off, or more", end))
			}
			damage = append(damage, fmt.Sprintf("octets %d to %d are damaged", end, p))
			end = p
			continue
		}
		if missing := int64(r.number) - int64(lastNumber(held)); r.kind != recordEnd && missing != 1 || r.kind == recordEnd && missing != 0 {
			damage = append(damage, fmt.Sprintf("before octet %d a change is missing", end))
		}
		if r.kind == recordEnd {
			return h, held, end, damage
		}
		held, end = append(held, r), end+int64(n)
	}
}

func lastNumber(held []entry) uint32 {
	if len(held) == 0 {
		return 0
	}
	return held[len(held)-1].number
}

func readHeaders(data []byte) (h journalHeader, damage []string) {
	for i := range 2 {
		one, ok := decodeHeader(data[min(i*headerSize, len(data)):])
		if !ok {
			damage = append(damage, fmt.Sprintf("header %d is damaged", i+1))
		} else if one.Generation >= h.Generation {
			h = one
		}
	}
	return h, damage
}

// nextRecord finds the next whole record after an offset, or returns -1.
func nextRecord(data []byte, after int64, generation uint32) int64 {
	begin := binary.BigEndian.AppendUint32([]byte(recordMagic), generation)
	for at := after + 1; at < int64(len(data)); at++ {
		i := bytes.Index(data[at:], begin)
		if i < 0 {
			return -1
		}
		at += int64(i)
		if _, n := decodeRecord(data[at:], generation); n > 0 {
			return at
		}
	}
	return -1
}
