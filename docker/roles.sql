-- Run once, on an empty server: a user and the databases of each service. Passwords come from the environment.
\getenv mlflow_password MLFLOW_DB_PASSWORD
\getenv studies_password STUDIES_DB_PASSWORD
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow_password';
CREATE ROLE studies LOGIN PASSWORD :'studies_password';
CREATE DATABASE mlflow OWNER mlflow;
CREATE DATABASE auth OWNER mlflow;
CREATE DATABASE studies OWNER studies;
REVOKE CONNECT ON DATABASE mlflow, auth, studies FROM PUBLIC;
