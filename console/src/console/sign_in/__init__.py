"""Who a visitor is: the OIDC code flow, and the session that the browser's cookie opens."""
