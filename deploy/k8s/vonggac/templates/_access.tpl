{{/* What is reached from outside. */}}

{{/* The paths of a component's API, as lines `<kind> <path>`; `/metrics`, `/readyz` and `/livez` are for the cluster alone. */}}
{{- define "vonggac.paths" -}}
Exact /
Prefix /v1
Prefix /docs
Exact /openapi.json
{{- if eq . "prober" }}
Exact /probe
{{- end }}
{{- end }}
