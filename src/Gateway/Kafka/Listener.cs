namespace Granary.Gateway.Kafka;

/// <summary>A door that clients come in by.</summary>
/// <param name="Name">For logs and metrics.</param>
/// <param name="Host">The host that its clients are told to connect to.</param>
/// <param name="Port">The port that its clients are told to connect to.</param>
internal sealed record Listener(string Name, string Host, int Port);
