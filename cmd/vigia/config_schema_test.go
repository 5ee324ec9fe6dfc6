package main

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"vigia/alerting"
	"vigia/collectors"
	"vigia/collectors/inventory"
)

// jsonObject is a JSON object.
type jsonObject = map[string]any

func TestSchemaIsTheLanguage(t *testing.T) {
	s := schemaWriter{t: t}
	root := s.structure("Config", reflect.TypeFor[Config]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Vigía"
	root["description"] = "The configuration file of Vigía, the monitor of a VoIP operator's NOC and SOC."
	root["$defs"] = jsonObject{"check": s.checks(), "receiver": s.receivers()}
	data, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, schemaFile, string(data)+"\n")
	for key := range keyWords {
		if !s.used(key) {
			t.Errorf("a description of %s, which is no key", key)
		}
	}
}

// schemaWriter writes types down as JSON schema.
type schemaWriter struct {
	t    *testing.T
	keys []string
}

func (s *schemaWriter) used(key string) bool { return slices.Contains(s.keys, key) }

// structure describes a struct; what names it in keyWords.
func (s *schemaWriter) structure(what string, types ...reflect.Type) jsonObject {
	properties, required := jsonObject{}, []string{}
	for _, typ := range types {
		for _, f := range fieldsOf(reflect.New(typ).Elem()) {
			key := what + "." + f.key
			one := s.value(key, f.value.Type(), f.tag)
			s.keys = append(s.keys, key)
			if words := keyWords[key]; words != "" {
				one["description"] = words
			} else {
				s.t.Errorf("no description of %s", key)
			}
			properties[f.key] = one
			if f.tag.Get("need") == "yes" {
				required = append(required, f.key)
			}
		}
	}
	out := jsonObject{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func (s *schemaWriter) value(key string, t reflect.Type, tag reflect.StructTag) jsonObject {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[CheckSpec]():
		return jsonObject{"$ref": "#/$defs/check"}
	case reflect.TypeFor[ReceiverSpec]():
		return jsonObject{"$ref": "#/$defs/receiver"}
	case reflect.TypeFor[inventory.Secret]():
		return jsonObject{"type": []string{"string", "number"}}
	case reflect.TypeFor[inventory.Duration]():
		return jsonObject{"type": []string{"string", "integer"}, "pattern": `^(0|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w|y))+)$`, "maximum": 0}
	case reflect.TypeFor[inventory.Bandwidth]():
		return jsonObject{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)? *(bps|kbps|Mbps|Gbps|Tbps)$`}
	case reflect.TypeFor[inventory.Ref]():
		return jsonObject{"type": "string", "pattern": "^(site|link|server|trunk)/.+$"}
	case reflect.TypeFor[netip.Prefix]():
		return jsonObject{"type": "string", "pattern": `^[0-9a-fA-F.:]+(/[0-9]{1,3})?$`}
	case reflect.TypeFor[alerting.Severity]():
		words := []string{}
		for _, v := range alerting.Severities {
			words = append(words, v.String())
		}
		return jsonObject{"enum": words}
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return jsonObject{"type": []string{"string", "number"}}
	}
	return s.plain(key, t, tag)
}

func (s *schemaWriter) plain(key string, t reflect.Type, tag reflect.StructTag) jsonObject {
	switch t.Kind() {
	case reflect.Struct:
		return s.structure(typeName(key, t), t)
	case reflect.Slice:
		out := jsonObject{"type": "array", "items": s.value(key, t.Elem(), tag)}
		if tag.Get("need") == "yes" {
			out["minItems"] = 1
		}
		return out
	case reflect.Map:
		return jsonObject{"type": "object", "additionalProperties": s.value(key, t.Elem(), "")}
	case reflect.Bool:
		return jsonObject{"type": "boolean"}
	case reflect.String:
		return textSchema(tag)
	case reflect.Float64:
		return limits(jsonObject{"type": "number"}, tag)
	}
	return limits(jsonObject{"type": "integer"}, tag)
}

// typeName is how a nested struct is named in keyWords: by its type when it is ours, by its place when it belongs to a kind.
func typeName(key string, t reflect.Type) string {
	if t.PkgPath() == reflect.TypeFor[Config]().PkgPath() {
		return t.Name()
	}
	return key
}

func textSchema(tag reflect.StructTag) jsonObject {
	if words := strings.Fields(tag.Get("enum")); len(words) > 0 {
		all := []any{}
		for _, w := range words {
			all = append(all, w)
			if n, err := strconv.Atoi(w); err == nil {
				all = append(all, n)
			}
		}
		return jsonObject{"enum": all}
	}
	out := jsonObject{"type": []string{"string", "number"}}
	switch tag.Get("is") {
	case "word":
		out["pattern"] = wordPattern.String()
	case "prefix":
		out["type"], out["pattern"] = []string{"string", "number"}, prefixPattern.String()
	case "domain":
		out["pattern"] = domainPattern.String()
	case "httpurl":
		out["pattern"] = "^https?://"
	case "metric":
		return jsonObject{"enum": slices.Sorted(maps.Keys(collectors.Catalogue))}
	}
	return out
}

func limits(out jsonObject, tag reflect.StructTag) jsonObject {
	for name, limit := range map[string]string{"minimum": tag.Get("min"), "maximum": tag.Get("max")} {
		if n, err := strconv.ParseFloat(limit, 64); err == nil {
			out[name] = n
		}
	}
	return out
}

// checks describes a check as one of its kinds.
func (s *schemaWriter) checks() jsonObject {
	own := map[string]reflect.Type{}
	for _, k := range kinds().Checks {
		own[k.Name] = reflect.TypeOf(k.New()).Elem()
	}
	return s.oneOf("CheckSpec", reflect.TypeFor[CheckSpec](), own)
}

func (s *schemaWriter) receivers() jsonObject {
	own := map[string]reflect.Type{}
	for _, k := range kinds().Receivers {
		own[k.Name] = reflect.TypeOf(k.New()).Elem()
	}
	return s.oneOf("ReceiverSpec", reflect.TypeFor[ReceiverSpec](), own)
}

func (s *schemaWriter) oneOf(common string, typ reflect.Type, own map[string]reflect.Type) jsonObject {
	var all []any
	for _, name := range slices.Sorted(maps.Keys(own)) {
		one, part := s.structure(common, typ), s.structure(name, own[name])
		properties := one["properties"].(jsonObject)
		for key, value := range part["properties"].(jsonObject) {
			if properties[key] != nil {
				s.t.Errorf("the kind %s has a key %s, which every %s has", name, key, common)
				continue
			}
			properties[key] = value
		}
		properties["kind"] = jsonObject{"const": name, "description": keyWords[common+".kind"]}
		one["title"] = name
		if more, ok := part["required"].([]string); ok {
			one["required"] = append(one["required"].([]string), more...)
		}
		all = append(all, one)
	}
	return jsonObject{"oneOf": all}
}

// TestSchemaOnFiles holds the schema against the files: it accepts every good one, and refuses bad ones that break a rule which a schema
// can say.
func TestSchemaOnFiles(t *testing.T) {
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root jsonObject
	if err := json.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	c := schemaChecker{root: root}
	good, _ := filepath.Glob("testdata/good/*.yaml")
	for _, file := range good {
		if problems := c.check(root, yamlFile(t, file), ""); len(problems) > 0 {
			t.Errorf("%s: %s", file, strings.Join(problems, "\n"))
		}
	}
	refused := 0
	for _, rule := range []string{"unknown-key", "missing-key", "bad-word", "unknown-metric", "bad-duration", "bad-bandwidth", "unknown-kind", "bad-prefix", "empty-list"} {
		files, _ := filepath.Glob("testdata/bad/*-" + rule + ".yaml")
		for _, file := range files {
			if len(c.check(root, yamlFile(t, file), "")) > 0 {
				refused++
			} else {
				t.Logf("%s is beyond the schema", file)
			}
		}
	}
	if refused < 20 {
		t.Errorf("only %d bad files are refused", refused)
	}
}

func yamlFile(t *testing.T, path string) any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// schemaChecker knows as much of JSON Schema 2020-12 as the schema uses.
type schemaChecker struct{ root jsonObject }

func (c schemaChecker) check(schema jsonObject, v any, at string) []string {
	if to, ok := schema["$ref"].(string); ok {
		name := to[strings.LastIndex(to, "/")+1:]
		return c.check(c.root["$defs"].(jsonObject)[name].(jsonObject), v, at)
	}
	if list, ok := schema["oneOf"].([]any); ok {
		return c.oneOf(list, v, at)
	}
	var out []string
	if want, ok := schema["const"]; ok && want != v {
		out = append(out, fmt.Sprintf("%s: %v is not %v", at, v, want))
	}
	if words, ok := schema["enum"].([]any); ok && !slices.ContainsFunc(words, func(w any) bool { return fmt.Sprint(w) == fmt.Sprint(v) }) {
		out = append(out, fmt.Sprintf("%s: %v is not in %v", at, v, words))
	}
	if want := schema["type"]; want != nil && !slices.Contains(strings.Fields(strings.Trim(fmt.Sprint(want), "[]")), jsonType(v)) &&
		!(jsonType(v) == "integer" && strings.Contains(fmt.Sprint(want), "number")) {
		return append(out, fmt.Sprintf("%s: %v is no %v", at, v, want))
	}
	switch v := v.(type) {
	case string:
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			out = append(out, fmt.Sprintf("%s: %q does not match %s", at, v, pattern))
		}
	case int:
		out = append(out, c.bounds(schema, float64(v), at)...)
	case float64:
		out = append(out, c.bounds(schema, v, at)...)
	case []any:
		if n, ok := schema["minItems"].(float64); ok && len(v) < int(n) {
			out = append(out, at+": too few entries")
		}
		for i, one := range v {
			out = append(out, c.check(schema["items"].(jsonObject), one, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case map[string]any:
		out = append(out, c.keys(schema, v, at)...)
	}
	return out
}

func (c schemaChecker) bounds(schema jsonObject, f float64, at string) []string {
	if low, ok := schema["minimum"].(float64); ok && f < low {
		return []string{fmt.Sprintf("%s: %v is under %v", at, f, low)}
	}
	if high, ok := schema["maximum"].(float64); ok && f > high {
		return []string{fmt.Sprintf("%s: %v is over %v", at, f, high)}
	}
	return nil
}

func (c schemaChecker) keys(schema jsonObject, v map[string]any, at string) []string {
	var out []string
	properties, _ := schema["properties"].(jsonObject)
	for key, value := range v {
		switch {
		case properties[key] != nil:
			out = append(out, c.check(properties[key].(jsonObject), value, at+"."+key)...)
		case schema["additionalProperties"] == false:
			out = append(out, at+"."+key+" is not known")
		default:
			if rest, ok := schema["additionalProperties"].(jsonObject); ok {
				out = append(out, c.check(rest, value, at+"."+key)...)
			}
		}
	}
	required, _ := schema["required"].([]any)
	for _, key := range required {
		if _, there := v[key.(string)]; !there {
			out = append(out, at+" lacks "+key.(string))
		}
	}
	return out
}

func (c schemaChecker) oneOf(list []any, v any, at string) []string {
	var best []string
	matching := 0
	for _, one := range list {
		problems := c.check(one.(jsonObject), v, at)
		if len(problems) == 0 {
			matching++
		}
		if best == nil || len(problems) < len(best) {
			best = problems
		}
	}
	if matching == 1 {
		return nil
	}
	return append(best, fmt.Sprintf("%s: %d of the kinds match", at, matching))
}

func jsonType(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case int, int64, uint64:
		return "integer"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}
