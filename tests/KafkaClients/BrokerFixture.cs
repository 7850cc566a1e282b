using Granary.KafkaClients;
using Granary.Support;

[assembly: AssemblyFixture(typeof(BrokerFixture))]

namespace Granary.KafkaClients;

/// <summary>One silo for all tests that only want one; each makes topics of its own.</summary>
public sealed class BrokerFixture : IAsyncLifetime
{
    private SiloProcess? _silo;

    public string Bootstrap => _silo!.KafkaBootstrap;

    public async ValueTask InitializeAsync() => _silo = await SiloProcess.StartAsync(new SiloProcessOptions());

    public async ValueTask DisposeAsync()
    {
        if (_silo is null)
            return;
        await _silo.DisposeAsync();
        if (_silo.Output.Contains("fail:", StringComparison.Ordinal) || _silo.Output.Contains("crit:", StringComparison.Ordinal))
            throw new InvalidOperationException($"the silo logged errors:\n{_silo.Output}");
    }
}
