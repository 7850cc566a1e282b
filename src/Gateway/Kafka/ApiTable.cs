using System.Diagnostics.CodeAnalysis;

namespace Granary.Gateway.Kafka;

/// <summary>Which requests are taken, in which versions, and who answers them. Filled once by <see cref="KafkaApis"/>, then only read.</summary>
internal sealed class ApiTable
{
    private const int MaxKey = 255;

    private readonly Api?[] _byKey = new Api?[MaxKey + 1];

    /// <summary>In ascending order of keys.</summary>
    public IEnumerable<Api> All => _byKey.OfType<Api>();

    public ApiTable Add(Api api)
    {
        if (_byKey[api.Key] is { } other)
            throw new ArgumentException($"API key {api.Key} ({api.Name}) is taken by {other.Name}.", nameof(api));
        _byKey[api.Key] = api;
        return this;
    }

    public bool TryFind(short key, [NotNullWhen(true)] out Api? api)
    {
        api = key is >= 0 and <= MaxKey ? _byKey[key] : null;
        return api is not null;
    }
}
