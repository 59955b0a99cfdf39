{{/* What is reached from outside. */}}

{{/* The paths of a component's API, as lines `<kind> <path>`; `/metrics`, `/readyz` and `/livez` are for the cluster alone. */}}
{{- define "vonggac.paths" -}}
Exact /
{{- if eq . "console" }}
{{- range list "facilities" "cameras" "deliveries" "wall" "live" "sign-in" "sign-out" "language" "static" "policy-reports" }}
Prefix /{{ . }}
{{- end }}
{{- else }}
Prefix /v1
Prefix /docs
Exact /openapi.json
{{- if eq . "prober" }}
Exact /probe
{{- end }}
{{- end }}
{{- end }}

{{/* The address that browsers use for the console. */}}
{{- define "vonggac.consoleUrl" -}}
{{- if .Values.console.baseUrl }}{{ .Values.console.baseUrl }}{{ else }}https://{{ .Values.hosts.console }}{{ end -}}
{{- end }}
