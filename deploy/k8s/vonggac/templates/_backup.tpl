{{/* Backups in the cluster: `vonggac backup` of the tool image, and `vonggac restore`. */}}

{{- define "vonggac.backupClaim" -}}
{{- default (printf "%s-backups" (include "vonggac.fullname" .)) .Values.backup.storage.existingClaim -}}
{{- end }}

{{/* (root, arguments): the pod of a backup or of a restore. It knows the passwords, and no key that opens what is sealed. */}}
{{- define "vonggac.backupPod" -}}
{{- $root := index . 0 -}}
{{- $mounts := printf "workers-public=%s=workers.pub" (include "vonggac.secret" (list $root "workersPublic")) -}}
{{- $arguments := concat (index . 1) (list "--logins=/run/vonggac/logins" "--keys=/run/vonggac/workers-public" (printf "--nats=%s" (include "vonggac.natsUrl" $root))) -}}
{{- if include "vonggac.natsTls" $root -}}
{{- $mounts = printf "%s\nnats-ca=%s=ca.crt" $mounts (include "vonggac.secret" (list $root "natsCa")) -}}
{{- $arguments = append $arguments "--nats-ca-file=/run/vonggac/nats-ca/ca.crt" -}}
{{- end -}}
{{- with include "vonggac.postgresCaSecret" $root -}}
{{- $mounts = printf "%s\npostgres-ca=%s=ca.crt" $mounts . -}}
{{- end -}}
metadata:
  labels:
    {{- include "vonggac.labels" (list $root "backup") | nindent 4 }}
spec:
  {{- include "vonggac.podBasics" (list $root "backup") | nindent 2 }}
  restartPolicy: Never
  {{- include "vonggac.placement" $root.Values.inventory | nindent 2 }}
  containers:
    - name: backup
      image: {{ include "vonggac.image" (list $root $root.Values.test.image) | quote }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args:
        {{- range $arguments }}
        - {{ . | quote }}
        {{- end }}
      env:
        {{- range $database := list "inventory" "reporting" }}
        - { name: VONGGAC_{{ upper $database }}_DATABASE_URL, value: {{ include "vonggac.databaseUrl" (list $root $database) | quote }} }
        {{- end }}
      securityContext:
        {{- include "vonggac.containerSecurity" $root | nindent 8 }}
      resources:
        {{- include "vonggac.resources" $root.Values.backup.resources | nindent 8 }}
      volumeMounts:
        {{- include "vonggac.volumeMounts" $mounts | nindent 8 }}
        {{- range $name := list "inventory" "reporting" "nats" }}
        - { name: login-{{ $name }}, mountPath: /run/vonggac/logins/{{ $name }}.password, subPath: {{ $name }}.password, readOnly: true }
        {{- end }}
        - { name: backups, mountPath: /backups }
  volumes:
    {{- include "vonggac.volumes" $mounts | nindent 4 }}
    # One folder with the passwords of all three.
    {{- range $name, $secret := dict "inventory" "postgresInventory" "reporting" "postgresReporting" "nats" "natsSetup" }}
    - name: login-{{ $name }}
      secret:
        secretName: {{ include "vonggac.secret" (list $root $secret) | quote }}
        defaultMode: 0444
        items: [{ key: {{ if eq $name "nats" }}nats.password{{ else }}password{{ end }}, path: {{ $name }}.password }]
    {{- end }}
    - name: backups
      persistentVolumeClaim: { claimName: {{ include "vonggac.backupClaim" $root | quote }} }
{{- end }}
