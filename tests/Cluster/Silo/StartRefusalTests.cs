using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Granary.Cluster.Storage;
using Granary.Gateway.Hosting;
using Granary.Support;
using Npgsql;

namespace Granary.Cluster.Silo;

/// <summary>A silo that cannot start says why in one line that names the setting, and with which exit code.</summary>
public sealed class StartRefusalTests(PrivatePostgres postgres)
{
    private static readonly TimeSpan s_promptly = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("Host=no-such-host.invalid;Username=a;Password=secret", ExitCode.NoPostgres, "(no-such-host.invalid:5432, database a)")]
    [InlineData("Host=127.0.0.1;Port=1;Username=a;Password=secret;Database=b", ExitCode.NoPostgres, "(127.0.0.1:1, database b)")]
    [InlineData("Hostess=127.0.0.1;Password=secret", ExitCode.WrongSettings, "hostess")]
    public async Task Start_WithAConnectionStringToNowhere_SaysSo(string connectionString, ExitCode code, string hint) =>
        await RefusedAsync(new SiloProcessOptions { ConnectionString = connectionString }, code, "ConnectionStrings__Granary", hint);

    [Fact]
    public async Task Start_WithAnUnknownDatabase_SaysSo()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        var wrong = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Database = "no_such_database" };

        await RefusedAsync(
            new SiloProcessOptions { ConnectionString = wrong.ConnectionString },
            ExitCode.NoPostgres,
            "ConnectionStrings__Granary",
            "database \"no_such_database\" does not exist");
    }

    [Fact]
    public async Task Start_OnADatabaseOfANewerVersion_SaysSoAndLeavesItAlone()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var newer = database.CreateCommand("""
            CREATE SCHEMA granary;
            CREATE TABLE granary.schema_version (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now());
            INSERT INTO granary.schema_version VALUES (99);
            """);
        await newer.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await RefusedAsync(new SiloProcessOptions { ConnectionString = database.ConnectionString }, ExitCode.NewerSchema, "The database has version 99", "newer");

        await using var there = database.CreateCommand("""
            SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
            WHERE nspname = 'granary' AND relkind IN ('r', 'S', 'v')
            """);
        Assert.Equal("schema_version", await there.ExecuteScalarAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Start_WithAWrongPassword_SaysSo()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        var user = await AddUserWithPasswordAsync(database);
        var wrong = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = user, Password = "secret" };

        await RefusedAsync(
            new SiloProcessOptions { ConnectionString = wrong.ConnectionString },
            ExitCode.NoPostgres,
            "ConnectionStrings__Granary",
            $"password authentication failed for user \"{user}\"");
    }

    [Theory]
    [InlineData("Granary__Kafka__Port", "{0}", "cannot listen on 127.0.0.1:{0}")]
    [InlineData("Granary__HttpUrl", "http://127.0.0.1:{0}", "http://127.0.0.1:{0}: its port is in use")]
    [InlineData("Granary__SiloPort", "{0}", "({0})")]
    public async Task Start_OnAPortInUse_SaysWhich(string name, string value, string hint)
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        await using var database = await postgres.CreateDatabaseAsync();
        var options = new SiloProcessOptions
        {
            ConnectionString = database.ConnectionString,
            Settings = new Dictionary<string, string> { [name] = string.Format(null, value, port) },
        };

        await RefusedAsync(options, ExitCode.PortInUse, name, string.Format(null, hint, port));
    }

    [Theory]
    [InlineData("Granary__Kafka__Port", "99999", "Granary__Kafka__Port is 99999: 0 to 65535 is wanted.")]
    [InlineData("Granary__SiloPort", "eleven", "Granary__SiloPort is 'eleven'")]
    public async Task Start_WithAWrongSetting_NamesItAndStartsNothing(string name, string value, string hint)
    {
        var folder = TestFolders.New();
        try
        {
            var options = new SiloProcessOptions { DataFolder = folder, Settings = new Dictionary<string, string> { [name] = value } };

            await RefusedAsync(options, ExitCode.WrongSettings, name, hint);

            Assert.Empty(Directory.EnumerateFileSystemEntries(folder));
        }
        finally
        {
            TestFolders.Delete(folder);
        }
    }

    private static async Task RefusedAsync(SiloProcessOptions options, ExitCode code, string setting, string hint)
    {
        var watch = Stopwatch.StartNew();
        var ended = await SiloProcess.RunToEndAsync(options);

        Assert.True((int)code == ended.ExitCode, $"exit code {ended.ExitCode} instead of {code}:\n{ended.Output}");
        var line = Assert.Single(ended.Errors.Split('\n'));
        Assert.StartsWith($"granary: {setting}", line, StringComparison.Ordinal);
        Assert.Contains(hint, line, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", ended.Output, StringComparison.Ordinal);
        Assert.True(watch.Elapsed < s_promptly, $"it took {watch.Elapsed}");
    }

    /// <summary>A user who is asked for a password, on a server that trusts all others.</summary>
    private static async Task<string> AddUserWithPasswordAsync(NpgsqlDataSource database)
    {
        const string User = "asked_for_a_password";
        await using var create = database.CreateCommand($"CREATE ROLE {User} LOGIN PASSWORD 'right'");
        await create.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await using var where = database.CreateCommand("SHOW hba_file");
        var file = (string)(await where.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        await File.WriteAllTextAsync(file, $"local all {User} scram-sha-256\n{await File.ReadAllTextAsync(file)}");
        await using var reload = database.CreateCommand("SELECT pg_reload_conf()");
        await reload.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        var unasked = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Username = User, Pooling = false };
        await Eventually.HoldsAsync("the server asks for the password", async () =>
        {
            try
            {
                await using var connection = new NpgsqlConnection(unasked.ConnectionString);
                await connection.OpenAsync(TestContext.Current.CancellationToken);
                return false;
            }
            catch (NpgsqlException)
            {
                return true;
            }
        });
        return User;
    }
}
