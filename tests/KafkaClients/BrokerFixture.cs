using Granary.KafkaClients;
using Granary.Support;

[assembly: AssemblyFixture(typeof(BrokerFixture))]

namespace Granary.KafkaClients;

/// <summary>One silo for all tests that only want one; each makes topics of its own.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    private SiloProcess? _silo;

    public string Bootstrap => _silo!.KafkaBootstrap;

    /// <summary>For clients inside the cluster, which find it by its database.</summary>
    public string PostgresConnectionString => _silo!.PostgresConnectionString;

    public string HttpUrl => _silo!.HttpUrl;

    public async ValueTask InitializeAsync() => _silo = await SiloProcess.StartAsync(new SiloProcessOptions
    {
        // As suites of clients have it: groups that form at once, and members that are missed soon.
        Settings = new Dictionary<string, string>
        {
            ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00.1",
            ["Granary__Groups__MinSessionTimeout"] = "00:00:01",
        },
    });

    public async ValueTask DisposeAsync()
    {
        if (_silo is null)
            return;
        await _silo.DisposeAsync();
        if (_silo.Output.Contains("fail:", StringComparison.Ordinal) || _silo.Output.Contains("crit:", StringComparison.Ordinal))
            throw new InvalidOperationException($"the silo logged errors:\n{_silo.Output}");
    }
}
