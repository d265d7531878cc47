{{- define "moderation.name" -}}
{{- printf "%s-real-moderation" .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "moderation.labels" -}}
app.kubernetes.io/name: real-moderation
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "moderation.selector" -}}
app.kubernetes.io/name: real-moderation
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "moderation.secret" -}}
{{- .Values.secrets.existing | default (include "moderation.name" .) -}}
{{- end -}}

{{- define "moderation.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{- define "moderation.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "moderation.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "moderation.environment" -}}
- name: MODERATION_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ include "moderation.secret" . }}, key: database-url}}
- name: MODERATION_SECRET_FILE
  value: /run/moderation/secret
{{ include "moderation.brokerEnvironment" . }}
{{- end -}}

{{- define "moderation.brokerEnvironment" -}}
- name: MODERATION_BROKER_URL
  valueFrom: {secretKeyRef: {name: {{ include "moderation.secret" . }}, key: broker-url}}
{{- range $name, $value := .Values.settings }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "moderation.mounts" -}}
- {name: data, mountPath: /data}
- {name: scratch, mountPath: /tmp}
- {name: private, mountPath: /run/moderation, readOnly: true}
{{- end -}}

{{/* Kubernetes lets a pod's group read its secrets; the program refuses a secret that others read. */}}
{{- define "moderation.ownSecret" -}}
- name: secret
  image: {{ include "moderation.image" .Values.images.api }}
  imagePullPolicy: {{ .Values.images.pullPolicy }}
  command: [install, -m, "0400", /run/secrets/moderation/secret, /run/moderation/secret]
  {{- include "moderation.containerSecurity" . | nindent 2 }}
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {memory: 64Mi}
  volumeMounts:
    - {name: secret, mountPath: /run/secrets/moderation, readOnly: true}
    - {name: private, mountPath: /run/moderation}
{{- end -}}

{{- define "moderation.volumes" -}}
- name: data
  persistentVolumeClaim: {claimName: {{ .Values.data.existingClaim | default (printf "%s-data" (include "moderation.name" .)) }}}
- name: scratch
  emptyDir: {sizeLimit: 1Gi}
- name: private
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
- name: secret
  secret:
    secretName: {{ include "moderation.secret" . }}
    items: [{key: secret, path: secret}]
{{- end -}}
