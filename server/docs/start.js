'use strict';

window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#api',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  docExpansion: 'list',
  persistAuthorization: false, // a key stays in this page, and goes with it
  validatorUrl: null, // nothing is told to anybody else
});
