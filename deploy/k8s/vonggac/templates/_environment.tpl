{{/* The settings of a component (docs/reference/settings.md), as a map. Passwords are files, never values. */}}
{{- define "vonggac.environment" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
{{- $prefix := printf "VONGGAC_%s_" (upper $component) -}}
{{ $prefix }}HOST: "0.0.0.0"
{{ $prefix }}PORT: "8080"
{{ $prefix }}LOG_LEVEL: {{ $values.logLevel }}
{{ $prefix }}LOG_FORMAT: json
{{ $prefix }}NATS_URL: {{ include "vonggac.natsUrl" $root | quote }}
{{ $prefix }}NATS_USER: {{ $component }}
{{ $prefix }}NATS_PASSWORD_FILE: /run/vonggac/nats/nats.password
{{- with include "vonggac.storeBytes" $root }}
{{ $prefix }}NATS_STORE_BYTES: {{ . | quote }}
{{- end }}
{{- if include "vonggac.natsTls" $root }}
{{ $prefix }}NATS_CA_FILE: /run/vonggac/nats-ca/ca.crt
{{- end }}
{{- with $root.Values.trustedProxies }}
{{ $prefix }}TRUSTED_PROXIES: {{ join "," . | quote }}
{{- end }}
{{ include (ternary "vonggac.environmentOfConsole" "vonggac.environmentOfService" (eq $component "console")) . }}
{{- range $name, $value := $values.settings }}
{{ $prefix }}{{ $name }}: {{ include "vonggac.plain" $value | quote }}
{{- end }}
{{- end }}

{{/* The console knows no caller by a token: a provider signs people in, and their tokens go on to the services. */}}
{{- define "vonggac.environmentOfConsole" -}}
{{- $root := index . 0 -}}
{{- $console := $root.Values.console -}}
{{- $name := include "vonggac.fullname" $root -}}
VONGGAC_CONSOLE_BASE_URL: {{ include "vonggac.consoleUrl" $root | quote }}
VONGGAC_CONSOLE_OIDC_ISSUER: {{ $console.oidc.issuer | quote }}
VONGGAC_CONSOLE_OIDC_CLIENT_ID: {{ $console.oidc.clientId | quote }}
VONGGAC_CONSOLE_OIDC_SCOPE: {{ $console.oidc.scope | quote }}
{{- if $console.oidc.clientSecret }}
VONGGAC_CONSOLE_OIDC_CLIENT_SECRET_FILE: /run/vonggac/oidc/client.secret
{{- end }}
{{- range list "inventory" "reporting" "prober" "forwarder" }}
VONGGAC_CONSOLE_{{ upper . }}_URL: http://{{ $name }}-{{ . }}:8080
{{- end }}
{{- end }}

{{- define "vonggac.environmentOfService" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $values := index $root.Values $component -}}
{{- $prefix := printf "VONGGAC_%s_" (upper $component) -}}
{{- if $root.Values.auth.jwksUrl -}}
{{ $prefix }}JWKS_URL: {{ $root.Values.auth.jwksUrl | quote }}
{{- else -}}
{{ $prefix }}JWKS_FILE: /run/vonggac/jwks/jwks.json
{{- end }}
{{ $prefix }}JWT_ISSUER: {{ $root.Values.auth.issuer | quote }}
{{ $prefix }}JWT_AUDIENCE: {{ $root.Values.auth.audience | quote }}
{{- if has $component (list "inventory" "reporting") }}
{{ $prefix }}DATABASE_URL: {{ include "vonggac.databaseUrl" . | quote }}
{{ $prefix }}DATABASE_PASSWORD_FILE: /run/vonggac/postgres/password
{{- else }}
{{ $prefix }}WORKERS_PRIVATE_KEY_FILE: /run/vonggac/workers-private/workers.key
{{ $prefix }}STOP_WITHIN_S: {{ $values.stopWithinSeconds | int | quote }}
{{- end }}
{{- if and (eq $component "inventory") $root.Values.console.enabled (not (hasKey $values.settings "FACILITY_LINK_PAGE")) }}
{{ $prefix }}FACILITY_LINK_PAGE: {{ printf "%s/f" (include "vonggac.consoleUrl" $root | trimSuffix "/") | quote }}
{{- end }}
{{- if eq $component "inventory" }}
{{ $prefix }}WORKERS_PUBLIC_KEY_FILE: /run/vonggac/workers-public/workers.pub
{{- end }}
{{- if and (eq $component "reporting") (include "vonggac.secret" (list $root "reportingKey")) }}
{{ $prefix }}SECRETS_KEY_FILE: /run/vonggac/reporting-key/reporting.key
{{- end }}
{{- if eq $component "forwarder" }}
{{ $prefix }}MAX_CAMERAS: {{ $values.maxCameras | int | quote }}
{{- include "vonggac.environmentOfServed" $root }}
{{- end }}
{{- if and (has $component (list "inventory" "prober")) $root.Values.served.enabled }}
{{ $prefix }}SERVED_ADDRESSES: {{ include "vonggac.servedAddresses" $root | quote }}
{{- end }}
{{- if and (eq $component "prober") (include "vonggac.servedCa" $root) }}
{{ $prefix }}SERVED_CA_FILE: /run/vonggac/served-ca/ca.crt
{{- end }}
{{- if ne $component "reporting" }}
{{ $prefix }}ALLOWED_NETWORKS: {{ join "," $root.Values.media.allowedNetworks | quote }}
{{- end }}
{{- end }}

{{/* A value as text; Helm reads whole numbers as 1e+06. */}}
{{- define "vonggac.plain" -}}
{{- if and (kindIs "float64" .) (eq (float64 (int64 .)) .) -}}{{ int64 . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end }}

{{/* The Secrets that a component mounts, as lines `<folder>=<secret>=<key>,…`. */}}
{{- define "vonggac.mounts" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
nats={{ include "vonggac.loginSecret" (list $root $component "nats") }}=nats.password
{{- if include "vonggac.natsTls" $root }}
nats-ca={{ include "vonggac.secret" (list $root "natsCa") }}=ca.crt
{{- end }}
{{- if eq $component "console" }}
{{- with $root.Values.console.oidc.clientSecret }}
oidc={{ . }}=client.secret
{{- end }}
{{- else }}
{{ include "vonggac.mountsOfService" . | trim }}
{{- end }}
{{- end }}

{{- define "vonggac.mountsOfService" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- if not $root.Values.auth.jwksUrl -}}
jwks={{ include "vonggac.secret" (list $root "jwks") }}=jwks.json
{{- end }}
{{- if has $component (list "inventory" "reporting") }}
{{ include "vonggac.databaseMounts" . }}
{{- else }}
workers-private={{ include "vonggac.secret" (list $root "workersPrivate") }}=workers.key
{{- end }}
{{- if and (eq $component "forwarder") $root.Values.served.enabled (int $root.Values.served.tlsPort) }}
served-tls={{ $root.Values.served.tlsSecret }}=tls.crt,tls.key
{{- end }}
{{- if eq $component "prober" }}
{{- with include "vonggac.servedCa" $root }}
served-ca={{ . }}=ca.crt
{{- end }}
{{- end }}
{{- if eq $component "reporting" }}
{{- with include "vonggac.secret" (list $root "reportingKey") }}
reporting-key={{ . }}=reporting.key
{{- end }}
{{- end }}
{{- if eq $component "inventory" }}
workers-public={{ include "vonggac.secret" (list $root "workersPublic") }}=workers.pub
{{- end }}
{{- end }}

{{- define "vonggac.databaseMounts" -}}
{{- $root := index . 0 -}}
postgres={{ include "vonggac.loginSecret" (list $root (index . 1) "postgres") }}=password
{{- with include "vonggac.postgresCaSecret" $root }}
postgres-ca={{ . }}=ca.crt
{{- end }}
{{- end }}

{{/* From such lines: what stands below `volumes`, and below `volumeMounts`. */}}
{{- define "vonggac.volumes" -}}
- name: tmp
  emptyDir: { sizeLimit: 256Mi }
{{- range splitList "\n" . }}
{{- $parts := splitList "=" . }}
- name: {{ index $parts 0 }}
  secret:
    secretName: {{ index $parts 1 | quote }}
    defaultMode: 0444
    items: [{{ range $index, $file := splitList "," (index $parts 2) }}{{ if $index }}, {{ end }}{ key: {{ $file }}, path: {{ $file }} }{{ end }}]
{{- end }}
{{- end }}

{{- define "vonggac.volumeMounts" -}}
- { name: tmp, mountPath: /tmp }
{{- range splitList "\n" . }}
{{- $folder := index (splitList "=" .) 0 }}
- { name: {{ $folder }}, mountPath: /run/vonggac/{{ $folder }}, readOnly: true }
{{- end }}
{{- end }}
