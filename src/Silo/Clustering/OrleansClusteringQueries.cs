namespace Granary.Silo.Clustering;

/// <summary>
/// The tables and the queries that Microsoft.Orleans.Clustering.AdoNet reads from `OrleansQuery`. Its contract: one version row per cluster,
/// which every change of a member row raises by one, where it is still the version that the writer read (else nothing happens and the answer is
/// false); reads answer the version even where there is no member, with nulls for the member's columns.
/// </summary>
internal static class OrleansClusteringQueries
{
    public const string Tables = """
        CREATE TABLE IF NOT EXISTS orleansmembershipversiontable (
            deploymentid text PRIMARY KEY,
            changed timestamptz NOT NULL DEFAULT now(),
            version int NOT NULL DEFAULT 0);
        CREATE TABLE IF NOT EXISTS orleansmembershiptable (
            deploymentid text NOT NULL REFERENCES orleansmembershipversiontable,
            address text NOT NULL,
            port int NOT NULL,
            generation int NOT NULL,
            siloname text NOT NULL,
            hostname text NOT NULL,
            status int NOT NULL,
            proxyport int,
            suspecttimes text,
            starttime timestamptz NOT NULL,
            iamalivetime timestamptz NOT NULL,
            PRIMARY KEY (deploymentid, address, port, generation));
        """;

    private const string IsThisRun = "deploymentid = @DeploymentId AND address = @Address AND port = @Port AND generation = @Generation";

    private const string Columns = """
        v.deploymentid AS DeploymentId, m.address AS Address, m.port AS Port, m.generation AS Generation, m.siloname AS SiloName, m.hostname AS HostName,
        m.status AS Status, m.proxyport AS ProxyPort, m.suspecttimes AS SuspectTimes, m.starttime AS StartTime, m.iamalivetime AS IAmAliveTime, v.version AS Version
        """;

    /// <summary>Takes the next version where the writer knows the last; a statement that follows depends on its row.</summary>
    private const string NextVersion = """
        WITH next AS (
            UPDATE orleansmembershipversiontable SET version = version + 1, changed = now()
            WHERE deploymentid = @DeploymentId AND version = @Version
            RETURNING deploymentid)
        """;

    public static IEnumerable<(string Key, string Text)> All { get; } =
    [
        ("InsertMembershipVersionKey", """
            WITH added AS (INSERT INTO orleansmembershipversiontable (deploymentid) VALUES (@DeploymentId) ON CONFLICT DO NOTHING RETURNING 1)
            SELECT count(*) > 0 FROM added
            """),
        ("InsertMembershipKey", $"""
            {NextVersion}, added AS (
                INSERT INTO orleansmembershiptable (deploymentid, address, port, generation, siloname, hostname, status, proxyport, starttime, iamalivetime)
                SELECT deploymentid, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM next
                RETURNING 1)
            SELECT count(*) > 0 FROM added
            """),
        ("UpdateMembershipKey", $"""
            {NextVersion}, changed AS (
                UPDATE orleansmembershiptable SET status = @Status, suspecttimes = @SuspectTimes, iamalivetime = @IAmAliveTime
                WHERE {IsThisRun} AND EXISTS (SELECT FROM next)
                RETURNING 1)
            SELECT count(*) > 0 FROM changed
            """),
        ("UpdateIAmAlivetimeKey", $"UPDATE orleansmembershiptable SET iamalivetime = @IAmAliveTime WHERE {IsThisRun}"),
        ("MembershipReadRowKey", $"""
            SELECT {Columns} FROM orleansmembershipversiontable v
            LEFT JOIN orleansmembershiptable m ON m.deploymentid = v.deploymentid AND m.address = @Address AND m.port = @Port AND m.generation = @Generation
            WHERE v.deploymentid = @DeploymentId
            """),
        ("MembershipReadAllKey", $"""
            SELECT {Columns} FROM orleansmembershipversiontable v LEFT JOIN orleansmembershiptable m ON m.deploymentid = v.deploymentid
            WHERE v.deploymentid = @DeploymentId
            """),
        ("GatewaysQueryKey", """
            SELECT address AS Address, proxyport AS ProxyPort, generation AS Generation FROM orleansmembershiptable
            WHERE deploymentid = @DeploymentId AND status = @Status AND proxyport > 0
            """),
        ("DeleteMembershipTableEntriesKey", """
            WITH members AS (DELETE FROM orleansmembershiptable WHERE deploymentid = @DeploymentId RETURNING 1)
            DELETE FROM orleansmembershipversiontable WHERE deploymentid = @DeploymentId AND (SELECT count(*) FROM members) >= 0
            """),
        ("CleanupDefunctSiloEntriesKey", """
            DELETE FROM orleansmembershiptable WHERE deploymentid = @DeploymentId AND iamalivetime < @IAmAliveTime AND status <> 3
            """),
    ];
}
