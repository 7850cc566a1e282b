using Granary.Gateway.Hosting;

namespace Granary.Silo.Hosting;

/// <summary>The silo cannot start; the message is one line for a person and names the setting that is to be changed.</summary>
internal sealed class StartException(ExitCode code, string message) : Exception(message)
{
    public ExitCode Code => code;
}
